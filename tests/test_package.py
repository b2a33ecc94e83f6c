"""What ``python -m fastdispatch`` says, and the package's metadata."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import fastdispatch
from fastdispatch.engine import UNCOMPILED


def test_the_module_prints_one_line_for_each_fact() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "fastdispatch"],
        capture_output=True,
        text=True,
        check=True,
    )
    facts = {}
    for line in result.stdout.splitlines():
        label, value = line.split(maxsplit=1)
        facts[label] = value
    build = "compiled" if fastdispatch.compiled else "pure"
    assert facts["fastdispatch"] == fastdispatch.__version__
    assert facts["build"].split()[0] == build
    assert facts["Python"].split()[1] == "{}.{}.{}".format(*sys.version_info)
    assert facts["Werkzeug"] == version("werkzeug")
    assert (facts["extensions"] == "-") == (build == "pure")


ROOT = Path(fastdispatch.__file__).parent
LATER = (*fastdispatch._LATER.keys() - {"wrappers"}, "_request")
ENGINE_LATER = ("jsontext", "request", "signing")


def run(program: str) -> str:
    """What a fresh interpreter writes."""
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return result.stdout


def test_what_few_programs_need_is_not_imported_with_it() -> None:
    found = set(
        run(
            "import sys, werkzeug.routing\n"
            "before = set(sys.modules)\n"
            "import fastdispatch\n"
            "app = fastdispatch.App('hello')\n"
            "app.add_url_rule('/', view_func=lambda: 'Hello', endpoint='hello')\n"
            "environ = {'REQUEST_METHOD': 'GET', 'PATH_INFO': '/',\n"
            "    'HTTP_HOST': 'a', 'wsgi.url_scheme': 'http'}\n"
            "assert app(environ, lambda *args: None) == [b'Hello']\n"
            "print(*set(sys.modules) - before)"
        ).split()
    )
    assert "fastdispatch.app" in found
    assert not found & {"asyncio", "blinker", "decimal", "flask", "itsdangerous"}
    assert not found & {f"fastdispatch.{name}" for name in LATER}
    assert not found & {f"fastdispatch.engine.{name}" for name in ENGINE_LATER}
    if fastdispatch.compiled:
        assert not found & {f"fastdispatch.engine.{n}" for n in UNCOMPILED}


def test_what_is_loaded_later_is_made_once_for_all_threads() -> None:
    assert (
        run(
            "import sys, fastdispatch\n"
            "from concurrent.futures import ThreadPoolExecutor\n"
            "from threading import Barrier\n"
            "app = fastdispatch.App('hello')\n"
            "app.add_url_rule('/', view_func=lambda: {'a': 1}, endpoint='hello')\n"
            "barrier = Barrier(8)\n"
            "def first(n):\n"
            "    barrier.wait()\n"
            "    if n % 2:\n"
            "        return [fastdispatch.request, app.json, app.request_class]\n"
            "    assert app.test_client().get('/').data == b'{\"a\":1}\\n'\n"
            "    return [fastdispatch.request, app.json, app.request_class]\n"
            "found = list(ThreadPoolExecutor(8).map(first, range(8)))\n"
            "print(len(found), *(len(set(map(id, each))) for each in zip(*found)))"
        )
        == "8 1 1 1\n"
    )


def test_a_provider_of_ones_own_is_made_with_the_application() -> None:
    made = []

    class Provider(fastdispatch.json.DefaultJSONProvider):
        def __init__(self, app: object) -> None:
            super().__init__(app)
            made.append(self)

    class Custom(fastdispatch.App):
        json_provider_class = Provider

    app = Custom("custom")
    assert made == [app.json]


def exported() -> set[str]:
    """The names that a type checker finds in the package."""
    tree = ast.parse((ROOT / "__init__.py").read_text("utf-8"))
    imports = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.level]
    names = {a.asname for n in imports for a in n.names if a.asname}
    assert {"App", "accelerate", "json", "request_started", "url_for"} <= names
    return names


def test_names_are_what_type_checkers_find() -> None:
    for name in exported():
        assert getattr(fastdispatch, name) is not None
    names = set(run("import fastdispatch; print(*dir(fastdispatch))").split())
    there = set(run("import fastdispatch; print(*vars(fastdispatch))").split())
    assert exported() <= names
    later = {name for names in fastdispatch._LATER.values() for name in names}
    assert exported() - there <= later <= names


def test_names_are_found_before_their_modules_are() -> None:
    names = sorted(exported())
    assert run(f"from fastdispatch import {', '.join(names)}; print(url_for)")
    star = run("from fastdispatch import *; print(*vars())").split()
    assert exported() <= set(star)
    assert "module_getattr" not in star
    assert run("import fastdispatch; print(fastdispatch.signals.request_started)")
    assert run("import fastdispatch as f; print(f.sessions.SessionInterface)")
    assert run(
        "import fastdispatch, pickle\n"
        "print(pickle.loads(pickle.dumps(fastdispatch.Blueprint)))"
    )


def test_other_names_are_an_attribute_error() -> None:
    assert not hasattr(fastdispatch, "nothing_of_the_kind")
    with pytest.raises(ImportError, match="nothing_of_the_kind"):
        from fastdispatch import nothing_of_the_kind  # type: ignore[attr-defined]  # noqa: F401
