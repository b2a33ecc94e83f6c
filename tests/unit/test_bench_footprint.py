"""The footprint: what is read and printed, and that each subject can be measured."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from bench.footprint import report
from bench.footprint.__main__ import by_package
from bench.footprint.__main__ import Failed
from bench.footprint.__main__ import program
from bench.footprint.__main__ import requests
from bench.footprint.__main__ import run
from bench.footprint.subjects import IMPORT
from bench.footprint.subjects import SUBJECTS


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where compiled Python files go: compiled once for all tests."""
    return tmp_path_factory.mktemp("cache")


TREE = """\
import time: self [us] | cumulative | imported package
import time:       100 |        100 |   encodings
import time:         3 |          3 |   sitecustomize
import time:        50 |        150 | site
import time:        10 |         10 |     _json
import time:        20 |         30 |   json
import time:         5 |          5 |     re
import time:        40 |         45 |   werkzeug.urls
import time:       300 |        375 | werkzeug
import time:         7 |          7 |   decimal
import time:        60 |         67 |   fastdispatch.engine.routing
import time:         1 |          1 |   json.encoder
import time:       900 |        968 | fastdispatch
a line of something else
"""


def a_report() -> dict[str, Any]:
    imports = {"werkzeug": [55.0, 110.0], "fastdispatch": [65.0, 130.0]}
    imports |= {"flask": [100.0, 200.0], "needs": [60.0, 120.0]}
    state = {"blocks": 1000, "objects": 10, "resident": 2**20}
    return {
        "imports": imports,
        "shares": {
            "werkzeug": {"werkzeug": 10.0},
            "fastdispatch": {
                "werkzeug": 11.0,
                "fastdispatch": 2.0,
                "fastdispatch.engine": 3.0,
            },
            "flask": {"werkzeug": 12.0, "flask": 20.0},
        },
        "memory": {"flask": {"import": [2**21, 2**20], "app": [2**22, 2**20]}},
        "per_request": {"flask": {"peak": 4000, "blocks": 1, "requests": 10_000}},
        "mix": ["W1", "W7"],
        "warm_up": 500,
        "requests": 1_000_000,
        "growth": {"accelerated": {"before": state, "after": state | {"blocks": 1001}}},
        "wheels": {"pure": {"wheel": 2048, "unpacked": 4096}},
        "installed": {"flask": 1024, "falcon": 10240},
    }


def test_time_is_given_to_the_package_that_needed_the_module() -> None:
    assert by_package(TREE.splitlines()) == {
        "werkzeug": 375,
        "fastdispatch.engine": 60,
        "fastdispatch": 908,
    }


def test_the_committed_page_is_up_to_date() -> None:
    assert report.main(["--check"]) == 0


def test_the_tables_hold_the_numbers() -> None:
    found = a_report()
    imports = report.section_imports(found)
    assert "| fastdispatch | 98 | 0.65 |" in imports
    assert imports.endswith("It is 0.65, met.")
    assert "| fastdispatch | – | 2.0 | – |" in report.section_shares(found)
    parts = report.section_parts(found)
    assert "| its routing | 7.5 | 0.050 |" in parts
    assert "| fastdispatch: the engine | 4.5 | 0.030 |" in parts
    assert "| what ours may be, to reach the mark | 7.5 | 0.050 |" in parts
    assert "| Flask | 2.0 | 1.0 | 4.0 | 1.0 | 4,000 | +1 |" in report.section_memory(
        found
    )
    growth = report.section_growth(found)
    assert "before → after 1,000,000 requests" in growth
    assert "| Flask, accelerated | 1.0 → 1.0 | 1,000 → 1,001 | 10 → 10 |" in growth
    size = report.section_size(found)
    assert size.splitlines()[2:] == [
        "| fastdispatch, pure | 2 | 4 |",
        "| falcon | – | 10 |",
        "| flask | – | 1 |",
    ]


def test_a_target_that_is_missed_is_said_to_be_missed() -> None:
    found = a_report()
    found["imports"]["fastdispatch"] = [66.0, 132.0]
    assert "It is 0.66, **not met**." in report.section_imports(found)


def test_each_section_is_put_between_its_own_markers() -> None:
    for name in report.SECTIONS:
        page = f"a\n<!-- footprint:{name} -->\nold\n<!-- /footprint:{name} -->\nb"
        once = report.fill(page, a_report(), report.SECTIONS, "footprint")
        assert "old" not in once and once.endswith("\nb")
        assert report.fill(once, a_report(), report.SECTIONS, "footprint") == once


@pytest.mark.parametrize("subject", SUBJECTS)
def test_each_subject_can_be_imported_alone(subject: str, cache: Path) -> None:
    for name in SUBJECTS[subject][0].split(", "):
        pytest.importorskip(name)
    assert float(run(program(IMPORT, subject), cache).stdout) > 0


@pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="counts CPython's blocks of memory"
)
def test_each_subject_answers_hello(cache: Path) -> None:
    for name in ("falcon", "bottle"):
        pytest.importorskip(name)
    found = requests(100, cache)
    assert set(found) == set(SUBJECTS)
    # Bottle lets the environ of the request before go while it has the next: from
    # CPython 3.14 on, that is as much as it takes.
    assert found["bottle"]["peak"] >= 0
    assert all(each["peak"] > 0 for name, each in found.items() if name != "bottle")


def test_a_program_that_fails_is_an_error_that_says_why(cache: Path) -> None:
    with pytest.raises(Failed, match="No module named 'nonsense'"):
        run(["-c", "import nonsense"], cache)
