"""The parts that bench.pure_steps takes away are those that a request runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from bench import pure_steps

ROOT = Path(__file__).parents[2]

# Other tests have patched what the shortcuts of a request rest on.
PROGRAM = """
import sys
from unittest.mock import patch

from bench import pure_steps
from bench.apps.fastdispatch_app import make_pure
from bench.timing import drive
from bench.workloads import WORKLOADS

workload = WORKLOADS["W1"]
app = make_pure("W1")
environ = workload.prepare(app)
drive(app, environ, None, 1)
engine = sys.modules[f"{type(app).__module__.partition('.')[0]}.engine"]
for changes in pure_steps._parts(engine, app).values():
    for owner, name, value in changes:
        run = []

        def noted(*args):
            run.append("")
            return value(*args)

        with patch.object(owner, name, noted):
            drive(app, environ, None, 1)
        print(name, "run" if run else "not run")
"""


def test_each_part_is_run_by_a_request() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "match run",
        "owes_session run",
        "get_plan run",
        "prove run",
        "dispatch_request run",
        "send_body run",
        "_finish run",
    ]


def test_the_parts_are_measured_and_what_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("ROUNDS", "BATCHES", "COUNT"):
        monkeypatch.setattr(pure_steps, name, 2)
    found = pure_steps.pure_steps()
    assert len(found) == 7
    assert found[""] > 0
