"""Where the time of Flask's hello world goes: its own steps, each timed by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .apps.flask_app import make
from .workloads import HELLO
from .workloads import WORKLOADS


def _times(
    steps: dict[str, Callable[[], object]], rounds: int = 100, count: int = 100
) -> dict[str, float]:
    """For each step its quickest time, in µs; the steps are measured in turn."""
    best = dict.fromkeys(steps, float("inf"))
    clock = time.perf_counter
    for _ in range(rounds):
        for name, step in steps.items():
            start = clock()
            for _ in range(count):
                step()
            best[name] = min(best[name], clock() - start)
    return {name: spent / count * 1e6 for name, spent in best.items()}


def flask_steps() -> dict[str, float]:
    """Step → µs, in the order in which a request takes them, and what is left.

    A step in a loop of its own finds everything in the caches, so it is quicker than it
    is inside a request; the last entry, what the whole request takes beyond the sum, is
    that as well as the calls in between.
    """
    import flask

    app: Any = make("W1")
    environ = WORKLOADS["W1"].environ()
    response = app.make_response(HELLO)

    def start_response(status: str, headers: Any, exc_info: Any = None) -> None:
        pass

    def empty() -> None:
        pass

    def app_context() -> None:
        with app.app_context():
            pass

    def send_signals() -> None:
        send = {"_async_wrapper": app.ensure_sync}
        flask.request_started.send(app, **send)
        flask.request_finished.send(app, **send, response=response)
        flask.request_tearing_down.send(app, **send, exc=None)

    def send() -> None:
        result = response(environ, start_response)
        b"".join(result)
        result.close()

    def whole() -> None:
        result = app(environ.copy(), start_response)
        b"".join(result)
        result.close()

    with app.request_context(environ) as ctx:
        # From Flask 3.2 on the steps take the context.
        taken = () if "_cv_request" in vars(flask.globals) else (ctx,)
        request = ctx.request
        adapter = ctx.url_adapter
        steps: dict[str, Callable[[], object]] = {
            "make the request object": lambda: app.request_class(environ),
            "bind the URL map to the request": lambda: app.create_url_adapter(request),
            "push and pop the application context, three signals": app_context,
            "open the session": lambda: app.session_interface.open_session(
                app, request
            ),
            "match the URL": lambda: adapter.match(return_rule=True),
            "send three signals that nobody receives": send_signals,
            "look for hooks before the view": lambda: app.preprocess_request(*taken),
            "call the view": lambda: app.dispatch_request(*taken),
            "make a response of what it returned": lambda: app.make_response(HELLO),
            "look for hooks after it, save the session": lambda: app.process_response(
                *taken, response
            ),
            "make the headers, send, close": send,
            "whole": whole,
            "loop": empty,
        }
        found = _times(steps)
    loop = found.pop("loop")
    rest = found.pop("whole")
    found = {name: spent - loop for name, spent in found.items()}
    found["in between, and colder caches"] = rest - loop - sum(found.values())
    return found
