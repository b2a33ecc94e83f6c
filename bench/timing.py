"""How everything here is timed: batches of requests, all candidates in turn."""

from __future__ import annotations

import gc
import json
import re
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from typing import TypeAlias

from .asgi import ASGI
from .asgi import bare
from .workloads import Application
from .workloads import Environ
from .workloads import WORKLOADS

#: An application, the environ to call it with and what to send as its body.
Ready: TypeAlias = tuple[Application, Environ, bytes | None]


def _start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
    return _write


def _write(data: bytes) -> None:
    raise NotImplementedError("write() is not timed")


def drive(
    app: Application, environ: Environ, payload: bytes | None, count: int
) -> float:
    """Seconds for *count* requests."""
    if isinstance(app, ASGI):
        return app.drive(environ, payload, count)
    copy = environ.copy
    start_response = _start_response
    join = b"".join
    clock = time.perf_counter
    if payload is None:
        start = clock()
        for _ in range(count):
            result = app(copy(), start_response)
            join(result)
            if hasattr(result, "close"):
                result.close()
        return clock() - start
    start = clock()
    for _ in range(count):
        request = copy()
        request["wsgi.input"] = BytesIO(payload)
        result = app(request, start_response)
        join(result)
        if hasattr(result, "close"):
            result.close()
    return clock() - start


def _empty(environ: Environ, start_response: Any) -> list[bytes]:
    return []


def floors() -> dict[str, float]:
    """What the loops themselves take, in µs a request: it is in every number."""
    environ = WORKLOADS["W1"].environ()
    apps: dict[str, Application] = {"floor": _empty, "asgi_floor": ASGI(bare)}
    return {
        name: min(drive(app, environ, None, 2000) for _ in range(10)) / 2000 * 1e6
        for name, app in apps.items()
    }


def count_calls(
    app: Application, environ: Environ, payload: bytes | None
) -> tuple[int, int]:
    """How many functions one request calls, of Python and of C, as CPython tells.

    Those that the interpreter runs without calling them are not told, ``len`` say.
    """
    counts = {"call": 0, "c_call": 0}

    def count(frame: Any, event: str, arg: Any) -> None:
        if event in counts:
            counts[event] += 1

    def counted(app: Application, payload: bytes | None) -> tuple[int, int]:
        before = sys.getprofile()
        counts.update(call=0, c_call=0)
        sys.setprofile(count)
        try:
            drive(app, environ, payload, 1)
        finally:
            sys.setprofile(before)
        return counts["call"], counts["c_call"]

    # What is remembered from the first request on.
    drive(app, environ, payload, 100)
    python, c = counted(app, payload)
    nothing = counted(_empty, payload)
    return python - nothing[0], c - nothing[1]


class Progress:
    """A bar on standard error if that is a terminal; elsewhere it writes nothing."""

    WIDTH = 30

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.start = time.monotonic()
        self.shown = sys.stderr.isatty()

    def step(self, what: str) -> None:
        """One of *total* is done, and it was part of *what*."""
        self.done += 1
        if not self.shown:
            return
        bar = "#" * (self.WIDTH * self.done // self.total)
        spent = time.monotonic() - self.start
        left = spent / self.done * (self.total - self.done)
        end = "\n" if self.done == self.total else ""
        print(
            f"\r[{bar:<{self.WIDTH}}] {what}, {left:.0f} s left\033[K",
            end=end,
            file=sys.stderr,
            flush=True,
        )


@contextmanager
def _nothing_to_collect() -> Iterator[None]:
    """What is there now is no garbage: a collection costs the same whoever takes part.

    PyPy cannot be told so.
    """
    gc.collect()
    getattr(gc, "freeze", int)()
    try:
        yield
    finally:
        getattr(gc, "unfreeze", int)()


def measure(
    ready: dict[str, Ready],
    rounds: int,
    batches: int,
    batch_seconds: float,
    step: Callable[[], object],
    least: int = 20,
) -> dict[str, list[float]]:
    """For each candidate the minimum of each round, in microseconds per request.

    A batch takes about *batch_seconds*, but has at least *least* requests; *step* is
    called after each round.
    """
    counts: dict[str, int] = {}
    for name, one in ready.items():
        spent = min(drive(*one, least) for _ in range(10)) / least
        counts[name] = max(least, int(batch_seconds / spent))
    result: dict[str, list[float]] = {name: [] for name in ready}
    with _nothing_to_collect():
        for _ in range(rounds):
            best = dict.fromkeys(ready, float("inf"))
            gc.collect()
            for _ in range(batches):
                for name, one in ready.items():
                    best[name] = min(best[name], drive(*one, counts[name]))
            for name, value in best.items():
                result[name].append(value / counts[name] * 1e6)
            step()
    return result


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value


def dumps(report: dict[str, Any]) -> str:
    """The report as JSON: times to four digits, a list of numbers on one line."""
    text = json.dumps(_rounded(report), indent=1)
    return re.sub(r"\[[\s\d.,e+-]+\]", lambda m: " ".join(m[0].split()), text) + "\n"
