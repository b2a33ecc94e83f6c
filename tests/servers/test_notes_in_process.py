"""The notes example on both builds and on Flask itself: the same answers."""

from __future__ import annotations

import importlib.util
import sys
import types
import typing as t
from pathlib import Path

import flask
import httpx
import pytest

import fastdispatch
from fastdispatch import _build

from .scenario import use_the_notes

NOTES = Path(__file__).parents[2] / "examples" / "notes"


def load_notes(framework: types.ModuleType, name: str) -> types.ModuleType:
    """Import the example as package `name`, with `framework` for fastdispatch."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            name, NOTES / "__init__.py", submodule_search_locations=[str(NOTES)]
        )
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, "fastdispatch", framework)
            sys.modules[name] = module
            spec.loader.exec_module(module)
    return sys.modules[name]


def flask_as_fastdispatch() -> types.ModuleType:
    """Return Flask under our names, with its one difference that the notes meet.

    Flask 3.1 runs teardown before the stream and again after it, so that ``g.db`` is
    gone when the export begins (rule 14): there the export is made at once.
    """
    stand_in = types.ModuleType("fastdispatch")
    vars(stand_in).update(
        {name: value for name, value in vars(flask).items() if name[0] != "_"}
    )
    vars(stand_in).update(
        App=flask.Flask, stream_with_context=lambda lines: iter(list(lines))
    )
    return stand_in


def transcript(framework: types.ModuleType, name: str, directory: Path) -> list[t.Any]:
    notes = load_notes(framework, name)
    database = directory / name / "notes.sqlite3"
    app = notes.create_app({"DATABASE": str(database), "SECRET_KEY": "key"})
    with httpx.Client(
        transport=httpx.WSGITransport(app), base_url="http://127.0.0.1"
    ) as client:
        return use_the_notes(client)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[t.Any]:
    directory = tmp_path_factory.mktemp("oracle")
    return transcript(flask_as_fastdispatch(), "notes_on_flask", directory)


def test_notes_answer_as_on_flask(expected: list[t.Any], tmp_path: Path) -> None:
    answered = transcript(fastdispatch, "notes_on_fastdispatch", tmp_path)
    assert answered == expected


def test_notes_answer_as_on_flask_in_the_pure_build(
    expected: list[t.Any], tmp_path: Path
) -> None:
    answered = transcript(_build.load_pure(), "notes_on_pure", tmp_path)
    assert answered == expected
