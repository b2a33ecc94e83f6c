"""The picture and the tables are what the committed numbers give."""

from __future__ import annotations

import itertools
import json
import pkgutil
from typing import Any
from xml.etree import ElementTree

import pytest
from bench import report
from bench.candidates import CANDIDATES
from bench.micro import test_engine
from bench.timing import dumps

from fastdispatch import engine

SHOWN = ("raw", "fastdispatch", "accelerated", "fastdispatch-pure", "falcon", "flask")


def a_report(**more: list[float]) -> dict[str, Any]:
    """Two workloads; W7 has no Falcon. The second round is twice as slow for all."""
    found: dict[str, list[float]] = {
        "raw": [1.0, 2.0],
        "fastdispatch": [2.0, 4.0],
        "accelerated": [2.5, 5.0],
        "fastdispatch-pure": [8.0, 16.0],
        "falcon": [5.0, 10.0],
        "flask": [50.0, 100.0],
    }
    some = {name: times for name, times in found.items() if name != "falcon"}
    names = ("fastdispatch", "werkzeug", "flask", "falcon", "wheezy.web", "bottle")
    return {
        "versions": dict.fromkeys(names, "1.10.0")
        | {"python": "CPython 3.99", "fastdispatch build": "compiled"},
        "platform": "Linux",
        "date": "2020-01-01",
        "floor": 0.123456,
        "rounds": 2,
        "batches": 1,
        "micro": {
            "match": {"int": {"compiled": 200.0, "pure": 1300.0}},
            "whole request with hooks of each kind": {
                "0": {"compiled": 1000.0, "pure": 5000.0},
                "30": {"compiled": 10000.0, "pure": 95000.0},
            },
        },
        "micro_other": {},
        "flask_steps": {"match": 30.0, "rest": 10.0},
        "pure_steps": {
            "W1": {"whole": 8.0, "least": 6.0, "parts": {"match": 2.0}},
        },
        "workloads": [
            {"name": "W1", "title": "hello", "times": found | more, "out": {}},
            {
                "name": "W7",
                "title": "session",
                "times": some,
                "out": {"falcon": "none: no sessions"},
            },
        ],
    }


def test_the_committed_pages_and_picture_are_up_to_date() -> None:
    assert report.main(["--check"]) == 0


def test_the_committed_run_has_every_candidate() -> None:
    run = json.loads(report.RESULTS.read_text("utf-8"))
    measured = {name for entry in run["workloads"] for name in entry["times"]}
    assert measured == set(CANDIDATES)


def test_bars_are_sorted_and_as_long_as_their_numbers() -> None:
    tree = ElementTree.fromstring(report.svg(a_report(), list(SHOWN)))
    svg = "{http://www.w3.org/2000/svg}"
    panels = [g for g in tree.iter(f"{svg}g") if g.find(f"{svg}path") is not None]
    assert len(panels) == 3  # W1, W7, the mean
    texts = [[t.text for t in g.iter(f"{svg}text")] for g in panels]
    assert texts[0] == [
        "Hello, world",
        "Flask: 75 µs",
        *("no framework", "50×", "fastdispatch", "25×", "Flask, accelerated", "20×"),
        *("Falcon", "10×", "fastdispatch, pure", "6.2×", "Flask", "1×"),
    ]
    assert texts[1][-1] == "without Falcon"
    assert texts[2][0] == "Mean of 1 workloads"
    bars = [float(r.get("width", "0")) for r in panels[0].iter(f"{svg}rect")]
    assert bars == sorted(bars, reverse=True)
    assert bars[1] == pytest.approx(bars[0] / 2, abs=0.1)
    assert "prefers-color-scheme: dark" in (tree.findtext(f"{svg}style") or "")


def test_only_who_is_as_quick_is_said_to_be_ahead() -> None:
    assert "no other framework" in report.section_behind(a_report())
    text = report.section_behind(a_report(falcon=[1.0, 2.0]))
    assert text == "- W1, hello: Falcon (2.00 × its time)"


def test_another_interpreter_is_beside_this_one() -> None:
    run = a_report() | {"other_python": a_report(falcon=[1.0, 4.0])}
    run["other_python"]["note"] = "Debian's"
    run["other_python"]["versions"]["python"] = "CPython 4.0"
    lines = report.section_interpreters(run).splitlines()
    assert lines[0] == (
        "|  | fastdispatch ÷ best other, CPython 3.99"
        " | fastdispatch ÷ best other, CPython 4.0 (Debian's)"
        " | Flask ÷ accelerated, CPython 3.99"
        " | Flask ÷ accelerated, CPython 4.0 (Debian's) |"
    )
    assert lines[2:4] == [
        "| W1: hello | 0.40 Falcon | 1.50 Falcon | 20.0 | 20.0 |",
        "| W7: session | 0.04 Flask | 0.04 Flask | 20.0 | 20.0 |",
    ]
    assert "on CPython 4.0 (Debian's), Werkzeug" in lines[5]
    assert report.section_behind_elsewhere(run) == (
        "On CPython 4.0 (Debian's):\n\n- W1, hello: Falcon (1.50 × its time)"
    )
    run["other_python"] = a_report()
    assert report.section_behind_elsewhere(run) == "On CPython 3.99: nobody."


def test_each_section_is_made_and_put_between_its_markers() -> None:
    for name in report.SECTIONS:
        page = f"a\n<!-- bench:{name} -->\nold\n<!-- /bench:{name} -->\nb"
        once = report.fill(page, a_report() | {"other_python": a_report()})
        assert "old" not in once
        assert once.startswith("a\n") and once.endswith("\nb")
        assert len(once) > len(page)
        assert report.fill(once, a_report() | {"other_python": a_report()}) == once
    with pytest.raises(KeyError, match="nonsense"):
        report.fill("<!-- bench:nonsense --><!-- /bench:nonsense -->", a_report())


def test_the_tables_hold_the_medians() -> None:
    assert (
        "| W1: hello | 1.5 | **3** | 7.5 Falcon | 75 | 2.0 | 0.40 | **25** | 20.0 |"
    ) in report.section_summary(a_report())
    assert "| W7: session | 3 | 12 | 4.0 | 6.2 | nobody |" in report.section_builds(
        a_report()
    )
    assert "| compiled | 0.100 |\n| pure | 1.000 |" in report.section_hooks(a_report())
    assert "| compiled | 0.100 |\n| pure | 1.000 |" in report.section_hooks(a_report())
    assert "| match: int | 0.2 | 1.3 | 6.5 |" in report.section_micro(a_report())
    assert "| match | 30.0 | 75% |" in report.section_steps(a_report())


MICRO = {
    "match among rules": {
        "10": {"compiled": 200.0, "pure": 1300.0},
        "10000": {"compiled": 280.0, "pure": 1300.0},
    },
    "whole request with hooks of each kind": {
        "0": {"compiled": 1000.0, "pure": 5000.0},
        "30": {"compiled": 10000.0, "pure": 95000.0},
    },
    "bare calls from": {
        "C, 0": {"python": 100.0},
        "C, 30": {"python": 9100.0},
        "Python, 0": {"python": 0.0},
        "Python, 30": {"python": 4500.0},
    },
    "plain": {
        "nothing": {"python": 40.0},
        "attribute": {"python": 60.0},
        "flask.g.x": {"python": 240.0},
    },
    "proxy": {
        "request.method": {"compiled": 80.0, "pure": 300.0},
        "g.x": {"compiled": 90.0, "pure": 300.0},
        "session['x']": {"compiled": 100.0, "pure": 300.0},
    },
    "push pop": {"app context": {"compiled": 100.0, "pure": 300.0}},
    "accelerated request": {"hello": {"compiled": 100.0, "pure": 400.0}},
}


def test_the_targets_are_told_with_what_is_reached() -> None:
    lines = report.section_targets(a_report() | {"micro": MICRO}).splitlines()
    assert "| W1: App ÷ Falcon | ≤ 0.7 | 0.40 | yes |" in lines
    assert "| W7: App ÷ no framework | ≤ 0.5 | 2.00 | **no** |" in lines
    assert "| W1: App ÷ no framework | ≤ 3.5 | 2.00 | yes |" in lines
    assert "| W1: Flask ÷ accelerated | ≥ 15 | 20.00 | yes |" in lines
    assert "| W1: pure ÷ Falcon | ≤ 1 | 1.60 | **no** |" in lines
    both = "| pure ÷ compiled, less no framework, mean of 2 workloads | ≥ 1.5 | 7.00 |"
    assert f"{both} yes |" in lines
    assert "| `context`: pure ÷ compiled | ≥ 1.3 | 3.26 | yes |" in lines
    assert "| `split`: pure ÷ compiled | ≥ 1.3 | 4.00 | yes |" in lines
    assert "| `merged`: pure ÷ compiled | ≥ 1.3 | – | not measured |" in lines
    assert "| matching among 10,000 rules ÷ among 10 | ≤ 1.3 | 1.40 | **no** |" in lines
    call = "a hook that does nothing ÷ its bare call from"
    assert f"| {call} C | ≤ 1.3 | 1.00 | yes |" in lines
    assert (
        f"| {call} Python, which does not leave it | ≤ 1.3 | 2.00 | **no** |" in lines
    )
    by = "÷ a plain attribute (`flask.g.x` by the same measure: 10)"
    assert f"| `request.method` {by} | ≤ 2.5 | 2.00 | yes |" in lines
    assert f"| `session['x']` {by} | ≤ 2.5 | 3.00 | **no** |" in lines


def test_the_module_for_the_other_flask_is_measured_on_that() -> None:
    other = {"accelerated request": {"hello": {"compiled": 100.0, "pure": 700.0}}}
    found = a_report() | {"micro": MICRO, "micro_other": other}
    gains = report.module_gains(found)  # of a run on Flask 1.10.0
    assert gains["split"] == pytest.approx(4.0)
    assert gains["merged"] == pytest.approx(7.0)


def test_what_is_as_quick_as_no_framework_has_no_gain_to_divide_by() -> None:
    assert report.gain(a_report(raw=[1.7, 3.4])) == (pytest.approx(7.0), 1)


def test_what_was_not_measured_is_said_to_be_so() -> None:
    found = a_report()
    for entry in found["workloads"]:
        entry["times"].pop("accelerated")
    text = report.section_targets(found)
    assert "| W1: Flask ÷ accelerated | ≥ 15 | – | not measured |" in text


def test_every_compiled_module_has_its_micro_benchmarks() -> None:
    names = {module.name for module in pkgutil.iter_modules(engine.__path__)}
    assert set(report.MODULES) == names - engine.UNCOMPILED
    for name in itertools.chain.from_iterable(report.MODULES.values()):
        assert hasattr(test_engine, f"test_{name.replace(' ', '_')}")


def test_the_numbers_are_written_short_and_the_versions_whole() -> None:
    text = dumps(a_report())
    back = json.loads(text)
    assert back["floor"] == 0.1235
    assert back["versions"]["flask"] == "1.10.0"
    assert '"flask": [ 50.0, 100.0 ]' in text


def test_the_floor_of_hooks_and_the_calls_of_python() -> None:
    run = a_report()
    run["micro"]["bare calls from"] = {
        "C, 0": {"python": 50.0},
        "C, 30": {"python": 2750.0},
        "Python, 0": {"python": 50.0},
        "Python, 30": {"python": 1850.0},
    }
    hooks = {
        name: [2 * t for t in times]
        for name, times in run["workloads"][0]["times"].items()
    }
    run["workloads"][0]["calls"] = {"fastdispatch-pure": [30, 10], "falcon": [10, 15]}
    run["workloads"].append({"name": "W3", "title": "hooks", "times": hooks, "out": {}})
    floor = report.section_hooks_floor(run).splitlines()
    # Hooks alone 1.5; nine hooks of 100 ns by the engine and 20 by Python: 0.72 more.
    assert floor[2:] == ["| W3: hooks | 1.5 | 2.22 | 5.22 | 6 | 0.35 Falcon | ≤ 0.8 |"]
    run["pure_steps"]["W3"] = {
        "whole": 16.0,
        "least": 4.0,
        "parts": {"match": 2.0, "hooks": 8.0},
    }
    steps = report.section_pure_steps(run).splitlines()
    assert steps[2:] == [
        "| match | 2.00 (25%) | 2.00 (12%) |",
        "| hooks | – | 8.00 (50%) |",
        "| without any of these | 6.00 (75%) | 4.00 (25%) |",
        "| the request | 8.00 (100%) | 16.00 (100%) |",
        "| Falcon's | 7.50 (94%) | 15.00 (94%) |",
    ]
    calls = report.section_pure_calls(run).splitlines()
    assert calls[2:] == [
        "| W1: hello | 30 + 10 | 300 | 10 + 15 | 300 | – | – | – | – |",
        "| W3: hooks | – | – | – | – | – | – | – | – |",
    ]
