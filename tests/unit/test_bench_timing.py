"""Batches are counted, rounds are kept apart, the bar is for a terminal only."""

from __future__ import annotations

import gc
import io
from typing import Any

import pytest
from bench.timing import count_calls
from bench.timing import floors
from bench.timing import measure
from bench.timing import Progress

# PyPy has none.
frozen_now = getattr(gc, "get_freeze_count", int)


def test_each_round_of_each_candidate_has_a_time_and_the_step_is_told() -> None:
    calls = {"a": 0, "b": 0}

    def app_of(name: str) -> Any:
        def app(environ: Any, start_response: Any) -> list[bytes]:
            calls[name] += 1
            return []

        return app

    steps: list[int] = []
    ready = {name: (app_of(name), {}, None) for name in calls}
    frozen = frozen_now()
    found = measure(
        ready, rounds=3, batches=2, batch_seconds=0, step=lambda: steps.append(1)
    )
    assert {name: len(times) for name, times in found.items()} == {"a": 3, "b": 3}
    assert all(time > 0 for times in found.values() for time in times)
    assert len(steps) == 3
    # Ten batches to warm up, then 3 × 2, of no less than 20 requests.
    assert calls == {"a": 16 * 20, "b": 16 * 20}
    assert frozen_now() == frozen


def test_a_failing_program_leaves_the_collector_as_it_was() -> None:
    count = 0

    def app(environ: Any, start_response: Any) -> list[bytes]:
        nonlocal count
        count += 1
        if count > 200:
            raise ValueError("no")
        return []

    frozen = frozen_now()
    with pytest.raises(ValueError, match="no"):
        measure({"a": (app, {}, None)}, 1, 1, 0, lambda: None)
    assert frozen_now() == frozen


def test_both_loops_have_a_floor() -> None:
    assert set(floors()) == {"floor", "asgi_floor"}
    assert all(time > 0 for time in floors().values())


def test_functions_are_counted_without_those_of_the_loop() -> None:
    def inner() -> list[bytes]:
        return [b"".join([b"body"])]

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return inner()

    # app, inner and start_response; join.
    assert count_calls(app, {}, None) == (3 - 1, 1)
    assert count_calls(app, {}, b"payload") == (3 - 1, 1)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_is_written_to_a_terminal_and_to_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr("sys.stderr", stream)
        progress = Progress(2)
        progress.step("W1")
        progress.step("W2")
        if stream.isatty():
            half, whole = stream.getvalue().split("\r")[1:]
            assert half.startswith(f"[{'#' * 15}{' ' * 15}] W1, ")
            assert whole.startswith(f"[{'#' * 30}] W2, 0 s left")
            assert whole.endswith("\n")
        else:
            assert stream.getvalue() == ""
