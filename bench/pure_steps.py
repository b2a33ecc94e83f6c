"""Where the time of the pure build goes: what hello world takes less without a part."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from statistics import median
from typing import Any
from unittest.mock import patch

from .apps.fastdispatch_app import make_pure
from .timing import drive
from .workloads import HELLO
from .workloads import WORKLOADS

ROUNDS = 15
BATCHES = 5
COUNT = 500


def _parts(engine: Any, app: Any) -> dict[str, list[tuple[Any, str, Any]]]:
    """Part → what to replace to do without it: owner, name and what is put there."""
    plan = app.get_plan()
    route = plan.matcher._exact["/"].routes[0]
    proof = engine.response.prove(app.response_class)
    item = proof.type_item

    def match(ctx: Any) -> None:
        ctx.route = route
        ctx.method = "GET"

    def send_body(
        cls: Any, proof: Any, status: Any, _: Any, body: bytes, environ: Any, start: Any
    ) -> list[bytes]:
        start("200 OK", [item, ("Content-Length", str(len(body)))])
        return [body]

    return {
        "match the URL, with a look whether map and trusted hosts are the same": [
            (engine.context.Context, "match", match)
        ],
        "see that the session's cookie need not be sent again": [
            (engine.lifecycle, "owes_session", lambda ctx: False)
        ],
        "see that the classes of app and response are as they were": [
            (engine.plan.Host, "get_plan", lambda app: plan),
            (engine.response, "prove", lambda cls: proof),
        ],
        "find the view, and call it as one that may be a coroutine function": [
            (engine.lifecycle, "dispatch_request", lambda ctx: HELLO)
        ],
        "see that status and method are plain": [
            (engine.response, "send_body", send_body)
        ],
        "look for what to do at teardown": [
            (engine.context.Context, "_finish", lambda ctx, exc: None)
        ],
    }


def pure_steps() -> dict[str, float]:
    """Part → µs that hello world takes less without it; "" → µs without any of them."""
    workload = WORKLOADS["W1"]
    app: Any = make_pure("W1")
    environ = workload.prepare(app)
    drive(app, environ, None, COUNT)
    engine = sys.modules[f"{type(app).__module__.partition('.')[0]}.engine"]
    parts = _parts(engine, app)
    whole = [change for changes in parts.values() for change in changes]
    variants = {"whole": [], **parts, "": whole}
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(ROUNDS):
        for name, changes in variants.items():
            with ExitStack() as stack:
                for owner, attribute, value in changes:
                    stack.enter_context(patch.object(owner, attribute, value))
                # What is remembered of classes is so again after a change.
                drive(app, environ, None, COUNT)
                quickest = min(drive(app, environ, None, COUNT) for _ in range(BATCHES))
            times[name].append(quickest / COUNT * 1e6)
    found = {name: median(all_times) for name, all_times in times.items()}
    took = found.pop("whole")
    least = found.pop("")
    return {**{name: took - less for name, less in found.items()}, "": least}
