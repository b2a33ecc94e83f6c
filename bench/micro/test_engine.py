"""Each part of the engine, compiled and pure side by side.

    python -m bench.micro

The two builds of one case stand in one group; the number in brackets is the ratio.
Tests without the ``fd`` fixture measure what plain Python costs, to compare with.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from importlib import import_module
from itertools import islice
from itertools import repeat
from types import ModuleType
from types import SimpleNamespace
from typing import Any
from typing import TypeAlias

import flask
import pytest
from werkzeug.routing import Map
from werkzeug.routing import Rule

from ..apps.flask_app import make as flask_program
from ..workloads import BROWSER
from ..workloads import HELLO
from ..workloads import JSON_IN
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
        app.before_request(before)
        app.after_request(after)
        app.teardown_request(teardown)
    benchmark(call, app, dict(BROWSER))


def before() -> None:
    pass


def after(response: Any) -> Any:
    return response


def teardown(error: Any) -> None:
    pass


@pytest.mark.parametrize("case", ["Python, 0", "Python, 30", "C, 0", "C, 30"])
def test_bare_calls_from(benchmark: Benchmark, case: str) -> None:
    """The calls that a request with so many hooks of each kind makes, and no more.

    From C each of them starts the interpreter anew, from Python code it does not.
    """
    caller, _, count = case.partition(", ")
    n = int(count)
    if caller == "Python":
        body = "before(); after(1); teardown(None);" * n or "pass"
        scope: dict[str, Any] = dict(before=before, after=after, teardown=teardown)
        exec(f"def calls() -> None: {body}", scope)
        benchmark(scope["calls"])
        return

    def calls() -> None:
        deque(islice(iter(before, 1), n), 0)
        deque(map(after, repeat(1, n)), 0)
        deque(map(teardown, repeat(None, n)), 0)

    benchmark(calls)


CHAINS: dict[str, Callable[[Any, Any], object]] = {
    "before": lambda app, response: app.preprocess_request(),
    "after": lambda app, response: app.process_response(response),
    "teardown": lambda app, response: app.do_teardown_request(None),
}


@pytest.mark.parametrize(
    "case", [f"{kind}, {n}" for kind in CHAINS for n in (0, 1, 3, 30)]
)
def test_hook_chain(fd: ModuleType, benchmark: Benchmark, case: str) -> None:
    app = an_app(fd)
    kind, _, count = case.partition(", ")
    for _ in range(int(count)):
        app.before_request(before)
        app.after_request(after)
        app.teardown_request(teardown)
    with app.request_context(dict(BROWSER)):
        benchmark(CHAINS[kind], app, app.response_class(HELLO))


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


@pytest.mark.parametrize("case", VALUES)
def test_make_response(fd: ModuleType, benchmark: Benchmark, case: str) -> None:
    app = an_app(fd)
    with app.request_context(dict(BROWSER)):
        benchmark(app.make_response, VALUES[case])


@pytest.mark.parametrize("case", ["object of 7"])
def test_json_response(fd: ModuleType, benchmark: Benchmark, case: str) -> None:
    app = an_app(fd)
    with app.request_context(dict(BROWSER)):
        benchmark(app.json.response, JSON_IN)


@pytest.mark.parametrize("case", ["hello"])
def test_accelerated_request(fd: ModuleType, benchmark: Benchmark, case: str) -> None:
    flask_app = flask_program("W1")
    benchmark(call, fd.accelerate(flask_app), dict(BROWSER))


ANSWERS = {"bytes": ("W11", "/big"), "chunks": ("W12", "/stream")}


@pytest.mark.parametrize("case", ANSWERS)
def test_accelerated_response(fd: ModuleType, benchmark: Benchmark, case: str) -> None:
    """Of Flask's class, made by the view."""
    workload, path = ANSWERS[case]
    app = fd.accelerate(flask_program(workload))
    benchmark(call, app, BROWSER | {"PATH_INFO": path})


@pytest.mark.parametrize("case", ["not handled"])
def test_accelerated_error(fd: ModuleType, benchmark: Benchmark, case: str) -> None:
    app = fd.accelerate(flask_program("W9"))
    benchmark(call, app, BROWSER | {"PATH_INFO": "/error"})


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


class Plain:
    def __init__(self) -> None:
        self.x = 1


PLAIN: dict[str, Callable[[Any], object]] = {
    "nothing": lambda holder: None,
    "attribute": lambda holder: holder.plain.x,
    "flask.g.x": lambda holder: holder.g.x,
}


@pytest.mark.parametrize("case", PLAIN)
def test_plain(benchmark: Benchmark, case: str) -> None:
    """As in ``test_proxy``: an attribute of what is found in another object."""
    holder = SimpleNamespace(plain=Plain(), g=flask.g)
    with flask.Flask("bench.micro").app_context():
        flask.g.x = 1
        benchmark(PLAIN[case], holder)


@pytest.mark.parametrize("case", ["open", "save"])
def test_session(fd: ModuleType, benchmark: Benchmark, case: str) -> None:
    app = an_app(fd)
    serializer = app.session_interface.get_signing_serializer(app)
    environ = BROWSER | {"HTTP_COOKIE": f"session={serializer.dumps({'n': 1})}"}

    def open_session() -> Any:
        with app.request_context(environ) as context:
            return context.session

    assert open_session()["n"] == 1
    if case == "open":
        benchmark(open_session)
        return
    with app.request_context(environ):
        fd.session["n"] = 2
        response = benchmark(lambda: app.process_response(app.response_class()))
    assert "Set-Cookie" in response.headers
