"""The count of instructions: what is read, what is drawn, what is said on failure."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from bench import instructions
from bench.instructions import ENGINE
from bench.instructions import REST

WRITTEN = """\
ob=/lib/libpython3.13.so.1.0
fn=_PyEval_EvalFrameDefault
10 40
+2 7
cob=/site-packages/fastdispatch/engine/hooks.so
cfn=before_chain
calls=3 0
12 900
ob=/site-packages/fastdispatch/engine/hooks.so
fn=before_chain
4 300
ob=/lib/libpython3.13.so.1.0
fn=_Py_dict_lookup
* 20
fn=PyObject_Malloc
1 5
fn=nobody_knows
1 2
"""


def test_what_a_function_called_counts_there_and_once() -> None:
    running, dicts, _, memory = instructions.KINDS
    assert instructions.read(WRITTEN) == Counter(
        {running: 47, ENGINE: 300, dicts: 20, memory: 5, REST: 2}
    )


@pytest.mark.parametrize(
    "function, kind",
    [
        ("_PyEval_EvalFrameDefault'2", 0),
        ("PyDict_GetItemWithError", 1),
        ("PyContextVar_Set", 2),
        ("_PyObject_Free", 3),
    ],
)
def test_kinds(function: str, kind: int) -> None:
    assert instructions.kind_of(function, "libpython") == list(instructions.KINDS)[kind]


def test_requests_are_made() -> None:
    pytest.importorskip("wheezy.web")
    for subject in (*instructions.SUBJECTS, instructions.NOTHING):
        instructions.requests(subject, "W3", 2)


def test_no_valgrind(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert instructions.main(["--only", "W1"]) == 1
    assert "apt-get install valgrind" in capsys.readouterr().err


def test_a_run_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: "false")
    with pytest.raises(instructions.Failed, match="fastdispatch, W1"):
        instructions.count("fastdispatch", "W1")


def test_the_tables_are_those_of_the_numbers() -> None:
    report = json.loads(instructions.RESULTS.read_text("utf-8"))
    drawn = instructions.section_all(report)
    for name in instructions.NAMES:
        assert f"{name}, fastdispatch" in drawn
    assert instructions.main(["--check"]) == 0
