"""The parts that bench.pure_steps takes away are those that a request runs."""

from __future__ import annotations

import sys
from typing import Any
from unittest.mock import patch

import pytest
from bench import pure_steps
from bench.apps.fastdispatch_app import make_pure
from bench.timing import drive
from bench.workloads import WORKLOADS


def test_each_part_is_run_by_a_request() -> None:
    workload = WORKLOADS["W1"]
    app: Any = make_pure("W1")
    environ = workload.prepare(app)
    drive(app, environ, None, 1)
    engine = sys.modules[f"{type(app).__module__.partition('.')[0]}.engine"]
    parts = pure_steps._parts(engine, app)
    assert len(parts) == 6
    for changes in parts.values():
        for owner, name, value in changes:
            run: list[str] = []

            def noted(*args: Any, value: Any = value, run: Any = run) -> Any:
                run.append("")
                return value(*args)

            with patch.object(owner, name, noted):
                drive(app, environ, None, 1)
            assert run, name


def test_the_parts_are_measured_and_what_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("ROUNDS", "BATCHES", "COUNT"):
        monkeypatch.setattr(pure_steps, name, 2)
    found = pure_steps.pure_steps()
    assert len(found) == 7
    assert found[""] > 0
