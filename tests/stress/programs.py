"""The application under stress, built for any subject, and ways to call it."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

from tests.conformance.subjects import Framework
from werkzeug.test import create_environ

WAIT = 30  # seconds: what stands still longer than this has failed


def application(fw: Framework) -> Any:
    """An application that logs nothing and can keep sessions."""
    app = fw.App("stress", static_folder=None)
    app.secret_key = "stress"
    app.logger.disabled = True
    return app


def ask(app: Any, path: str, **kwargs: Any) -> tuple[int, bytes]:
    """One request, all of it: status code and body."""
    started: list[str] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        started[:] = [status]
        return lambda data: None

    answer = app(create_environ(path, **kwargs), start_response)
    try:
        body = b"".join(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()
    return int(started[0][:3]), body


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Run ``work(0)`` … ``work(count - 1)``, a thread each, all at once.

    The first error of any of them is raised here.
    """
    start = threading.Barrier(count, timeout=WAIT)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            start.wait()
            work(number)
        except BaseException as e:
            errors.append(e)

    threads = [
        threading.Thread(target=run, args=(n,), daemon=True) for n in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    if errors:
        raise errors[0]
    assert not any(thread.is_alive() for thread in threads)


@contextlib.contextmanager
def nothing_left(fw: Framework) -> Iterator[None]:
    """No context is current before and after."""
    assert not fw.has_request_context() and not fw.has_app_context()
    yield
    assert not fw.has_request_context() and not fw.has_app_context()


class Expected(Exception):
    """What a hook or view of a random program raises."""


class RandomProgram:
    """An application with hooks on three levels that do random things.

    What happens in a request depends on the program's seed and the request's number
    alone, so a request that runs among others must leave the trace it leaves alone.
    """

    def __init__(self, fw: Framework, seed: int) -> None:
        self.fw = fw
        self.seed = seed
        self.traces: dict[str, list[str]] = {}
        self.app = application(fw)
        outer = fw.Blueprint("outer", "stress", url_prefix="/outer")
        inner = fw.Blueprint("inner", "stress", url_prefix="/inner")
        chance = random.Random(seed)
        for name, target in (("app", self.app), ("outer", outer), ("inner", inner)):
            self.add_hooks(name, target, chance)
            self.add_view(name, target)
        outer.register_blueprint(inner)
        self.app.register_blueprint(outer)

    def choose(self, what: str, choices: str) -> str:
        """The same choice for the same program, request and place, always."""
        number = self.fw.request.args["n"]
        return random.Random(f"{self.seed} {number} {what}").choice(choices)

    def note(self, what: str) -> None:
        """Write *what* into the trace that this request keeps in its ``g``."""
        fw = self.fw
        if not hasattr(fw.g, "trace"):
            fw.g.trace = self.traces.setdefault(fw.request.args["key"], [])
            fw.g.number = fw.request.args["n"]
        assert fw.g.number == fw.request.args["n"]
        assert fw.g.trace is self.traces[fw.request.args["key"]]
        fw.g.trace.append(what)

    def act(self, what: str, choices: str) -> Any:
        """Note and act: n nothing, r raise, h abort, l after_this_request, s session.

        a: return an answer.
        """
        fw = self.fw
        action = self.choose(what, choices)
        self.note(f"{what}:{action}")
        if action == "r":
            raise Expected(what)
        if action == "h":
            fw.abort(418)
        if action == "l":

            @fw.after_this_request
            def late(response: Any) -> Any:
                self.note(f"{what} late")
                return response

        if action == "s":
            fw.session["n"] = fw.g.number
            assert fw.session["n"] == fw.request.args["n"]
        return f"{what} answers {fw.g.number}" if action == "a" else None

    def add_hooks(self, name: str, target: Any, chance: random.Random) -> None:
        for i in range(chance.randrange(3)):
            what = f"{name} before {i}"
            target.before_request(lambda what=what: self.act(what, "nnnnslah"))
        for i in range(chance.randrange(3)):
            what = f"{name} after {i}"

            def after(response: Any, what: str = what) -> Any:
                self.act(what, "nnns")
                return response

            target.after_request(after)
        for i in range(chance.randrange(3)):
            what = f"{name} teardown {i}"

            def teardown(error: Any, what: str = what) -> None:
                self.note(f"{what} {type(error).__name__}")

            target.teardown_request(teardown)

    def add_view(self, name: str, target: Any) -> None:
        if name == "inner":

            async def view() -> str:
                return str(self.act("async view", "nnnaarh"))

        else:

            def view() -> str:  # type: ignore[misc]
                return str(self.act(f"{name} view", "nnnaarh"))

        target.add_url_rule("/", name, view)

    def run(self, number: int, key: str) -> tuple[int, bytes, list[str]]:
        """One request: status, body, trace."""
        path = ("/", "/outer/", "/outer/inner/", "/missing")[number % 4]
        status, body = ask(self.app, path, query_string={"n": str(number), "key": key})
        return status, body, self.traces.pop(key, [])
