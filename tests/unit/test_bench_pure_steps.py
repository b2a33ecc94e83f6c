"""The parts that bench.pure_steps takes away are those that a request runs."""

from __future__ import annotations

import subprocess
import sys
import typing as t
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import pytest
from bench import pure_steps
from bench.apps.fastdispatch_app import make_pure
from bench.workloads import WORKLOADS

ROOT = Path(__file__).parents[2]

# Other tests have patched what the shortcuts of a request rest on.
PROGRAM = """
import sys
from unittest.mock import patch

from bench import pure_steps
from bench.apps.fastdispatch_app import make_pure
from bench.timing import drive
from bench.workloads import WORKLOADS

for workload in map(WORKLOADS.get, pure_steps.NAMES):
    app = make_pure(workload.name)
    environ = workload.prepare(app)
    drive(app, environ, workload.payload, 1)
    engine = sys.modules[f"{type(app).__module__.partition('.')[0]}.engine"]
    ran = []
    for changes in pure_steps._parts(engine, app, environ).values():
        for owner, name, value in changes:
            run = []

            def noted(*args, **kwargs):
                run.append("")
                return value(*args, **kwargs)

            with patch.object(owner, name, noted):
                drive(app, environ, workload.payload, 1)
            ran.append(name if run else f"{name} not")
    print(workload.name, *ran)
"""
FIRST = "match owes_session get_plan"
LAST = "dispatch_request _finish"


def test_each_part_is_run_by_a_request() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    hooks = "run_before run_after run_teardown_request"
    assert done.stdout.splitlines() == [
        f"W1 {FIRST} prove_whole {LAST}",
        f"W2 {FIRST} prove {LAST} response finalize send",
        f"W3 {FIRST} prove {LAST} {hooks} finalize send",
    ]


@pytest.mark.parametrize("name", pure_steps.NAMES)
def test_the_answer_without_the_parts_is_the_same(name: str) -> None:
    workload = WORKLOADS[name]
    app: t.Any = make_pure(name)
    environ = workload.prepare(app)
    engine = sys.modules[f"{type(app).__module__.partition('.')[0]}.engine"]
    stock = answer(app, environ)
    assert stock[0] == "200 OK"
    with ExitStack() as stack:
        for changes in pure_steps._parts(engine, app, environ).values():
            for owner, attribute, value in changes:
                stack.enter_context(patch.object(owner, attribute, value))
        assert answer(app, environ) == stock


def answer(app: t.Any, environ: dict[str, t.Any]) -> tuple[str, t.Any, bytes]:
    started: list[t.Any] = []
    body = b"".join(app(dict(environ), lambda *args: started.extend(args)))
    return started[0], started[1], body


def test_the_parts_are_measured_and_what_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("ROUNDS", "BATCHES", "COUNT"):
        monkeypatch.setattr(pure_steps, name, 2)
    found = pure_steps.pure_steps()
    assert {name: len(steps["parts"]) for name, steps in found.items()} == {
        "W1": 5,
        "W2": 7,
        "W3": 7,
    }
    assert all(0 < steps["least"] for steps in found.values())
