"""Memory does not grow with the number of requests.

``FASTDISPATCH_STRESS=1000000`` is the number of requests of each kind; the default is
one that takes seconds.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conformance.subjects import Framework
from tests.conformance.subjects import NATIVE
from tests.stress.programs import application
from tests.stress.programs import ask
from tests.stress.programs import Expected
from tests.stress.programs import nothing_left
from werkzeug.test import create_environ

REQUESTS = int(os.environ.get("FASTDISPATCH_STRESS", "400"))
SECONDS = 3  # of one kind, where the number of requests is the default

native = pytest.mark.parametrize("fw", NATIVE, ids=repr)


def make(fw: Framework) -> Any:
    app = application(fw)
    bp = fw.Blueprint("bp", "stress", url_prefix="/bp")

    @app.before_request
    def before() -> None:
        fw.g.data = bytearray(100)

    @app.after_request
    def after(response: Any) -> Any:
        response.headers["X-Data"] = str(len(fw.g.data))
        return response

    @app.teardown_request
    def teardown(error: Any) -> None:
        fw.g.pop("data", None)

    @app.route("/hello")
    def hello() -> str:
        return "hello"

    @bp.route("/<int:id>")
    def item(id: int) -> Any:
        return fw.jsonify(id=id, args=fw.request.args, cookies=fw.request.cookies)

    @app.route("/session")
    def session() -> str:
        fw.session["n"] = fw.session.get("n", 0) + 1
        return str(fw.session["n"])

    @app.route("/error")
    def error() -> str:
        raise Expected

    @app.errorhandler(KeyError)
    def handle(error: KeyError) -> tuple[str, int]:
        return "handled", 400

    @app.route("/handled")
    def handled() -> str:
        return fw.request.args["missing"]  # type: ignore[no-any-return]

    @app.route("/stream")
    def stream() -> Any:
        def chunks() -> Iterator[str]:
            yield "a"
            yield fw.request.path

        return app.response_class(fw.stream_with_context(chunks()))

    @app.route("/async")
    async def async_view() -> str:
        await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))
        return "async"

    @app.route("/async-error")
    async def async_error() -> str:
        await asyncio.sleep(0)
        raise Expected

    app.register_blueprint(bp)
    return app


def abandon(app: Any) -> None:
    """A client that is gone after the first chunk."""
    answer = app(create_environ("/stream"), lambda *args: None)
    next(iter(answer))
    answer.close()


def copied(fw: Framework, app: Any) -> None:
    """A context that outlives its request."""
    with app.test_request_context("/hello"):

        @fw.copy_current_request_context
        def later() -> str:
            return fw.request.path  # type: ignore[no-any-return]

    assert later() == "/hello"


KINDS: dict[str, Callable[[Framework, Any], object]] = {
    "hello": lambda fw, app: ask(app, "/hello"),
    "arguments": lambda fw, app: ask(app, "/bp/7?a=1&a=2", headers={"Cookie": "a=b"}),
    "session": lambda fw, app: ask(app, "/session"),
    "error": lambda fw, app: ask(app, "/error"),
    "handled": lambda fw, app: ask(app, "/handled"),
    "missing": lambda fw, app: ask(app, "/missing"),
    "not allowed": lambda fw, app: ask(app, "/hello", method="POST"),
    "redirect": lambda fw, app: ask(app, "//hello"),
    "stream": lambda fw, app: ask(app, "/stream"),
    "abandoned stream": lambda fw, app: abandon(app),
    "copied context": copied,
    "async": lambda fw, app: ask(app, "/async"),
    "async error": lambda fw, app: ask(app, "/async-error"),
}


def measure() -> tuple[int, int]:
    """Objects the collector knows, and blocks of memory in use."""
    for _ in range(3):
        gc.collect()
    return len(gc.get_objects()), sys.getallocatedblocks()


@native
@pytest.mark.parametrize("kind", KINDS)
def test_memory_does_not_grow(fw: Framework, kind: str) -> None:
    app = make(fw)
    one = KINDS[kind]
    with nothing_left(fw):
        for _ in range(100):
            one(fw, app)
        objects, blocks = measure()
        end = time.monotonic() + SECONDS
        done = 0
        while done < REQUESTS and (REQUESTS > 10_000 or time.monotonic() < end):
            one(fw, app)
            done += 1
        more_objects, more_blocks = measure()
    # A leak is one object a request at the least; caches may fill up a little.
    assert done >= 50
    assert more_objects - objects < done // 2
    assert more_blocks - blocks < done // 2


@native
@pytest.mark.parametrize("kind", ["hello", "arguments", "session", "handled", "stream"])
def test_a_request_leaves_no_work_for_the_collector(fw: Framework, kind: str) -> None:
    app = make(fw)
    one = KINDS[kind]
    for _ in range(20):
        one(fw, app)
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            one(fw, app)
        found = gc.collect()
    finally:
        gc.enable()
    assert found == 0


@native
def test_an_application_goes_with_its_last_reference(fw: Framework) -> None:
    app = make(fw)
    for one in KINDS.values():
        one(fw, app)
    ref = weakref.ref(app)
    del app
    gc.collect()
    assert ref() is None


@native
def test_threads_that_come_and_go_leave_nothing(fw: Framework) -> None:
    app = make(fw)

    def work() -> None:
        ask(app, "/hello")
        ask(app, "/async")

    def run(count: int) -> None:
        for _ in range(count):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()

    run(30)
    objects, blocks = measure()
    run(150)
    more_objects, more_blocks = measure()
    assert more_objects - objects < 40
    assert more_blocks - blocks < 40
