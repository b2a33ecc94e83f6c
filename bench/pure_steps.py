"""Where the time of the pure build goes: what a request takes less without a part."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import ExitStack
from json import JSONEncoder
from statistics import median
from typing import Any
from unittest.mock import patch

from .apps.fastdispatch_app import make_pure
from .timing import drive
from .workloads import WORKLOADS

ROUNDS = 11
BATCHES = 5
COUNT = 400
NAMES = ("W1", "W2", "W3")

Change = tuple[Any, str, Any]  # an owner, its attribute, what is put there


def _parts(engine: Any, app: Any, environ: dict[str, Any]) -> dict[str, list[Change]]:
    """Part → what to replace to do without it, or with the least that answers."""
    plan = app.get_plan()
    cls = app.response_class
    proof = engine.response.prove(cls)
    hooks = engine.hooks
    matched = engine.context.Context(app, environ, None, plan)
    matched.match()
    route, args, method = matched.route, matched.args or {}, matched.method
    view = app.view_functions[route.endpoint]
    before = app.before_request_funcs.get(None, [])
    after = app.after_request_funcs.get(None, [])[::-1]
    teardown = app.teardown_request_funcs.get(None, [])[::-1]
    # Only of a response is there anything to be made, sent and handed to hooks.
    has_response = bool(after or args)
    prove = "prove" if has_response else "prove_whole"
    encode = JSONEncoder(sort_keys=True, separators=(",", ":")).encode
    json_item = engine.response.content_type_item("application/json")

    def match(ctx: Any) -> None:
        ctx.route = route
        ctx.args = args
        ctx.method = method

    def run_before(*_: Any) -> Any:
        for func in before:
            rv = func()
            if rv is not None:
                return rv
        return None

    def run_after(plan: Any, app: Any, scopes: Any, response: Any) -> Any:
        for func in after:
            response = func(response)
        return response

    def run_teardown(plan: Any, app: Any, scopes: Any, exc: Any) -> None:
        for func in teardown:
            func(exc)

    def finish(ctx: Any, exc: Any) -> Any:
        if teardown:
            return hooks.run_teardown_request(plan, app, (None,), exc)
        return None

    def finalize(ctx: Any, rv: Any, cls: Any) -> Any:
        if type(rv) is str:
            rv = engine.response.from_body(cls, proof.type_item, rv.encode())
        if after:
            rv = hooks.run_after(plan, app, (None,), rv)
        engine.lifecycle.owes_session(ctx)
        return rv

    def send(response: Any, environ: Any, start: Any, owned: bool = False) -> Any:
        body = response._fd_body
        length = ("Content-Length", str(len(body)))
        start(response._fd_status, [response._fd_type, length])
        return [body]

    def respond(provider: Any, value: Any) -> Any:
        return engine.response.from_body(cls, json_item, f"{encode(value)}\n".encode())

    parts: dict[str, list[Change]] = {
        "match the URL, with a look whether map and trusted hosts are the same": [
            (engine.context.Context, "match", match)
        ],
        "see that the session's cookie need not be sent again": [
            (engine.lifecycle, "owes_session", lambda ctx: False)
        ],
        "see that the classes of app and response are as they were, the method plain": [
            (engine.plan.Host, "get_plan", lambda app: plan),
            (engine.response, prove, lambda *_: proof),
        ],
        "find the view, and call it as one that may be a coroutine function": [
            (engine.lifecycle, "dispatch_request", lambda ctx: view(**args))
        ],
        "look for what to do at teardown": [
            (engine.context.Context, "_finish", finish)
        ],
    }
    if args:
        parts["write JSON as the provider's settings say, into a response"] = [
            (type(app.json), "response", respond)
        ]
    if before:
        parts[
            "find the hooks, and call each as one that may be a coroutine function"
        ] = [
            (hooks, "run_before", run_before),
            (hooks, "run_after", run_after),
            (hooks, "run_teardown_request", run_teardown),
        ]
    if has_response:
        parts["make, process and send a response that anybody may have changed"] = [
            (engine.lifecycle, "finalize", finalize),
            (engine.response, "send", send),
        ]
    return parts


def _steps(name: str) -> dict[str, Any]:
    workload = WORKLOADS[name]
    app: Any = make_pure(name)
    environ = workload.prepare(app)
    payload = workload.payload
    drive(app, environ, payload, COUNT)
    engine = sys.modules[f"{type(app).__module__.partition('.')[0]}.engine"]
    parts = _parts(engine, app, environ)
    every = [change for changes in parts.values() for change in changes]
    variants: dict[str, list[Change]] = {"whole": [], **parts, "": every}
    times: dict[str, list[float]] = {variant: [] for variant in variants}
    for _ in range(ROUNDS):
        for variant, changes in variants.items():
            with ExitStack() as stack:
                for owner, attribute, value in changes:
                    stack.enter_context(patch.object(owner, attribute, value))
                # What is remembered of classes is so again after a change.
                drive(app, environ, payload, COUNT)
                quickest = min(
                    drive(app, environ, payload, COUNT) for _ in range(BATCHES)
                )
            times[variant].append(quickest / COUNT * 1e6)
    found = {variant: median(all_times) for variant, all_times in times.items()}
    whole = found.pop("whole")
    least = found.pop("")
    saved = {part: whole - less for part, less in found.items()}
    return {"whole": whole, "least": least, "parts": saved}


def pure_steps(names: Iterable[str] = NAMES) -> dict[str, dict[str, Any]]:
    """By workload of *names*: its µs (``whole``), those without any of its parts
    (``least``), and by which it takes less without each of them (``parts``)."""
    return {name: _steps(name) for name in names}
