"""The growth curves: every program grows as told, and the picture is what they give."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from bench import growth

PROGRAMS = list(growth.PROGRAMS)


@pytest.mark.parametrize("curve", growth.CURVES)
def test_every_program_answers_as_it_must(curve: str) -> None:
    pytest.importorskip("falcon")
    for step in growth.CURVES[curve].steps[:2]:
        ready, out = growth.prepare(curve, growth.number_of(step))
        assert set(ready) | set(out) == set(PROGRAMS)
        assert set(out) == ({"falcon"} if curve == "blueprints" else set())


def test_what_grows_does_grow() -> None:
    assert growth.number_of("10 MiB") == 10 * 2**20
    headers = [k for k in growth.environ_of("headers", 30) if k.startswith("HTTP_")]
    assert len(headers) == 30
    assert len(growth.workload("body", 1024).payload or b"") == 1024
    assert growth.workload("blueprints", 2).path == "/b0/b1/"
    app: Any = growth.on_flask("hooks", 3)
    tables = (app.before_request_funcs, app.after_request_funcs)
    assert [len(funcs[None]) for funcs in tables] == [3, 3]
    assert len(growth.on_flask("rules", 7).url_map._rules) == 7  # type: ignore[attr-defined]


def test_a_program_that_answers_otherwise_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("falcon")

    def other(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [b"no"]

    monkeypatch.setitem(growth.PROGRAMS, "flask", lambda curve, n: other)
    with pytest.raises(growth.Refused, match="flask, hooks: 1: .*body"):
        growth.prepare("hooks", 1)


def test_the_committed_picture_and_tables_are_up_to_date() -> None:
    assert growth.main(["--check"]) == 0


def a_report() -> dict[str, Any]:
    times: dict[str, list[float | None]] = {
        "fastdispatch": [1.0, 10.0],
        "falcon": [2.0, None],
        "flask": [None, None],
    }
    entry = {
        "steps": ["10", "100"],
        "times": times,
        "out": {"falcon": {"100": "Falcon is slow"}, "flask": {}},
    }
    names = ("fastdispatch", "werkzeug", "flask", "falcon")
    return {
        "versions": dict.fromkeys(names, "1.10.0")
        | {"python": "CPython 3.99", "fastdispatch build": "compiled"},
        "platform": "Linux",
        "date": "2020-01-01",
        "rounds": 2,
        "batches": 1,
        "curves": {"rules": entry},
    }


def test_lines_are_as_high_as_their_logarithms() -> None:
    tree = ElementTree.fromstring(growth.svg(a_report()))
    svg = "{http://www.w3.org/2000/svg}"
    panel = next(tree.iter(f"{svg}g"))
    lines = {
        p.get("class"): p.get("d")
        for p in panel.iter(f"{svg}path")
        if (p.get("class") or "").startswith("line")
    }
    bottom = growth.TOP + growth.PLOT
    right = growth.PANEL - 16
    assert lines == {
        "line fastdispatch": f"M42.0 {bottom:.1f}L{right:.1f} {growth.TOP:.1f}",
        "line falcon": f"M42.0 {bottom - growth.PLOT * 0.30103:.1f}",
    }


def test_the_table_has_a_dash_and_a_reason_where_nothing_was_measured() -> None:
    text = growth.section_all(a_report())
    assert "| fastdispatch | 1 | 10 | 10.00 |" in text
    assert "| Falcon | 2 | – | 1.00 |" in text
    assert "\nFalcon is slow.\n" in text
    assert "Flask |" not in text


def test_a_run_is_what_a_report_is_made_of() -> None:
    pytest.importorskip("falcon")
    found = growth.grow({"blueprints": ["0", "1"]}, rounds=1, batches=1, seconds=1e-4)
    entry = found["blueprints"]
    assert entry["steps"] == ["0", "1"]
    assert set(entry["times"]) == set(PROGRAMS)
    assert entry["times"]["falcon"] == [None, None]
    assert all(value > 0 for value in entry["times"]["fastdispatch"])
    assert set(entry["out"]) == {"falcon"}
