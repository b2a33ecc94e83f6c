"""Each part of the engine, compiled and pure side by side.

    python -m bench.micro

The two builds of one case stand in one group; the number in brackets is the ratio.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any
from typing import TypeAlias

import pytest
from werkzeug.routing import Map
from werkzeug.routing import Rule

from ..workloads import BROWSER
from ..workloads import HELLO
from ..workloads import SECRET

Benchmark: TypeAlias = Callable[..., Any]


def an_app(fd: ModuleType) -> Any:
    app = fd.App("bench.micro", static_folder=None)
    app.secret_key = SECRET

    @app.route("/")
    def hello() -> str:
        return HELLO

    return app


def start_response(status: str, headers: Any, exc_info: Any = None) -> None:
    pass


def call(app: Any, environ: dict[str, Any]) -> None:
    result = app(environ.copy(), start_response)
    b"".join(result)
    if hasattr(result, "close"):
        result.close()


@pytest.mark.parametrize("case", ["request context", "app context"])
def test_push_pop(fd: ModuleType, benchmark: Benchmark, case: str) -> None:
    app = an_app(fd)
    app(dict(BROWSER), start_response)

    def push_pop_app() -> None:
        with app.app_context():
            pass

    def push_pop_request() -> None:
        with app.request_context(environ):
            pass

    environ = dict(BROWSER)
    benchmark(push_pop_app if case == "app context" else push_pop_request)


@pytest.mark.parametrize("case", [0, 1, 3, 30])
def test_whole_request_with_hooks_of_each_kind(
    fd: ModuleType, benchmark: Benchmark, case: int
) -> None:
    app = an_app(fd)
    for _ in range(case):
        app.before_request(lambda: None)
        app.after_request(lambda response: response)
        app.teardown_request(lambda error: None)
    benchmark(call, app, dict(BROWSER))


RULES = {
    "static": ("/users/new", "/users/new"),
    "int": ("/users/<int:id>", "/users/42"),
    "str": ("/users/<name>/edit", "/users/ada/edit"),
    "path": ("/files/<path:name>", "/files/a/b/c.txt"),
}


def match(fd: ModuleType, benchmark: Benchmark, rules: list[str], path: str) -> None:
    routing = import_module(f"{fd.__name__}.engine.routing")
    matcher = routing.Matcher(Map([Rule(r, endpoint=r) for r in rules]))
    out = routing.Routed()
    assert matcher.match(out, path, "GET") == routing.MATCHED
    benchmark(matcher.match, out, path, "GET")


@pytest.mark.parametrize("case", RULES)
def test_match(fd: ModuleType, benchmark: Benchmark, case: str) -> None:
    match(fd, benchmark, [RULES[case][0]], RULES[case][1])


@pytest.mark.parametrize("case", [10, 500, 10000])
def test_match_among_rules(fd: ModuleType, benchmark: Benchmark, case: int) -> None:
    rules = [f"/section{n}/item/<int:id>" for n in range(case)]
    match(fd, benchmark, rules, f"/section{case - 1}/item/7")


ATTRIBUTES: dict[str, Callable[[Any], object]] = {
    "nothing": lambda request: None,
    "method": lambda request: request.method,
    "path": lambda request: request.path,
    "args": lambda request: request.args["q"],
    "headers": lambda request: request.headers["Accept-Language"],
    "cookies": lambda request: request.cookies["theme"],
    "url": lambda request: request.url,
}


@pytest.mark.parametrize("case", ATTRIBUTES)
def test_new_request_read(fd: ModuleType, benchmark: Benchmark, case: str) -> None:
    environ = BROWSER | {"QUERY_STRING": "q=fast+dispatch&page=2"}
    read = ATTRIBUTES[case]
    benchmark(lambda: read(fd.Request(environ)))


VALUES = {"str": HELLO, "dict": {"a": 1, "b": [True]}, "tuple": (HELLO, 201)}


@pytest.mark.parametrize("case", VALUES)
def test_whole_request_that_returns(
    fd: ModuleType, benchmark: Benchmark, case: str
) -> None:
    app = fd.App("bench.micro", static_folder=None)
    app.add_url_rule("/", "view", lambda: VALUES[case])
    benchmark(call, app, dict(BROWSER))


PROXIES: dict[str, Callable[[Any], object]] = {
    "request.method": lambda fd: fd.request.method,
    "g.x": lambda fd: fd.g.x,
    "session['x']": lambda fd: fd.session["x"],
    "current_app.name": lambda fd: fd.current_app.name,
}


@pytest.mark.parametrize("case", PROXIES)
def test_proxy(fd: ModuleType, benchmark: Benchmark, case: str) -> None:
    app = an_app(fd)
    read = PROXIES[case]
    with app.request_context(dict(BROWSER)):
        fd.g.x = fd.session["x"] = 1
        benchmark(read, fd)


@pytest.mark.parametrize("case", ["open", "save"])
def test_session(fd: ModuleType, benchmark: Benchmark, case: str) -> None:
    app = an_app(fd)
    interface = app.session_interface
    cookie = f"session={interface.get_signing_serializer(app).dumps({'n': 1})}"
    environ = BROWSER | {"HTTP_COOKIE": cookie}

    def open_session() -> Any:
        return interface.open_session(app, app.request_class(environ))

    assert open_session()["n"] == 1
    if case == "open":
        benchmark(open_session)
        return
    with app.request_context(environ):
        session = open_session()
        session["n"] = 2
        benchmark(lambda: interface.save_session(app, session, app.response_class()))
