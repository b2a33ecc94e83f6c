"""What applications do to us that nobody means them to do."""

from __future__ import annotations

import contextvars
import gc
import sys
from typing import Any

import flask
import pytest
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from fastdispatch import abort
from fastdispatch import App
from fastdispatch import has_app_context
from fastdispatch import request
from fastdispatch.engine.context import Context
from fastdispatch.wrappers import Request
from fastdispatch.wrappers import Response


def make_app() -> App:
    app = App("abused", static_folder=None)
    app.add_url_rule("/", endpoint="index", view_func=lambda: "index")
    return app


def get(app: App, path: str = "/", **environ: Any) -> tuple[str, bytes]:
    seen: list[str] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        seen.append(status)

    body = b"".join(
        app({**EnvironBuilder(path=path).get_environ(), **environ}, start_response)
    )
    return seen[0], body


class Uninitialised(Context):
    def __init__(self, app: Any, environ: Any = None) -> None:
        """Forgets ``super().__init__()``."""


def test_uninitialised_context_is_an_error() -> None:
    app = make_app()
    for use in (Uninitialised.push, Uninitialised.pop, Uninitialised.match_request):
        with pytest.raises((AttributeError, RuntimeError, TypeError)):
            contextvars.Context().run(use, Uninitialised(app))


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"PATH_INFO": "/nowhere"}, 404), ({"REQUEST_METHOD": "PUT"}, 405)],
)
def test_a_url_matched_again_leaves_no_view(
    changes: dict[str, str], status: int
) -> None:
    app = make_app()
    environ = EnvironBuilder().get_environ()
    for _ in range(3):
        ctx = app.request_context(dict(environ))
        with ctx:
            assert app.full_dispatch_request().status_code == 200
        ctx = app.request_context(dict(environ))
        with ctx:
            ctx.environ.update(changes)
            ctx.match_request()
            assert app.full_dispatch_request().status_code == status


def test_view_functions_that_wrap() -> None:
    class Wrapping(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            view = super().__getitem__(key)
            return lambda: f"wrapped {view()}"

    app = make_app()
    app.view_functions = Wrapping(app.view_functions)
    assert get(app)[1] == b"wrapped index"


def test_headers_of_a_shared_response_are_made_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    response = Response("shared")
    init = Headers.__init__

    def other_thread_comes_first(self: Headers, *args: Any) -> None:
        init(self, *args)
        monkeypatch.undo()
        response.headers["X-First"] = "1"

    monkeypatch.setattr(Headers, "__init__", other_thread_comes_first)
    assert response.headers is response.headers
    response.headers["X-Second"] = "1"
    assert {"X-First", "X-Second"} <= {key for key, _ in response.headers}


def test_long_description_is_not_kept() -> None:
    app = make_app()
    description = "long " * 1000

    @app.get("/refused")
    def refused() -> None:
        abort(403, description)

    before = sys.getrefcount(description)
    assert get(app, "/refused")[0] == "403 FORBIDDEN"
    gc.collect()
    assert sys.getrefcount(description) == before


class Text(str):
    pass


def test_environ_of_str_subclasses() -> None:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": Text("GET"),
        "SCRIPT_NAME": Text("/a\xc3\xa9/"),
        "PATH_INFO": Text("/b"),
        "QUERY_STRING": Text("c=%41"),
        "wsgi.url_scheme": Text("http"),
        "HTTP_HOST": Text("localhost"),
        "HTTP_COOKIE": Text("d=e"),
    }
    made = Request(environ)
    assert (made.root_path, made.path, made.query_string) == ("/a\xe9", "/b", b"c=%41")
    assert (made.args["c"], made.cookies["d"]) == ("A", "e")
    assert get(make_app(), PATH_INFO=Text("/"), QUERY_STRING=Text("")) == (
        "200 OK",
        b"index",
    )


@pytest.mark.parametrize("environ", [None, 5, [], object()], ids=type)
def test_no_environ_leaves_no_context(environ: Any) -> None:
    app = App("none", static_folder=None)
    app.add_url_rule("/", "index", lambda: "index")
    with pytest.raises((RuntimeError, TypeError)):
        app(environ, lambda *args: print)
    assert not has_app_context()


def test_request_of_a_context_is_replaced() -> None:
    app = make_app()
    with app.test_request_context("/") as ctx:
        other = Request(EnvironBuilder(path="/other").get_environ())
        ctx.request = other
        assert request.path == "/other"
        assert ctx.request is other


@pytest.mark.parametrize("cls", [flask.Flask, App])
def test_url_value_preprocessor_that_replaces_the_arguments(cls: Any) -> None:
    app = cls("abused", static_folder=None)
    current = flask.request if cls is flask.Flask else request
    seen: list[Any] = []

    def replaces(endpoint: str | None, values: dict[str, Any] | None) -> None:
        current.view_args = {"name": "new"}

    def sees(endpoint: str | None, values: dict[str, Any] | None) -> None:
        seen.append((endpoint, values))

    app.url_value_preprocessor(replaces)
    app.url_value_preprocessor(sees)
    app.add_url_rule("/<name>", endpoint="show", view_func=lambda name: name)
    assert get(app, "/old") == ("200 OK", b"new")
    assert seen == [("show", {"name": "new"})]


def test_change_while_the_plan_is_kept() -> None:
    class Abused(App):
        kept = 0

        def _make_plan(self) -> Any:
            plan = super()._make_plan()
            Abused.kept += 1
            return plan

        def __setattr__(self, name: str, value: Any) -> None:
            if name == "_plan" and value is not None and Abused.kept == 1:
                # The pure build comes by here: another thread might as well.
                change()
            super().__setattr__(name, value)

    def change() -> None:
        Abused.kept += 1
        app.before_request_funcs = {None: [lambda: "changed"]}

    app = Abused("abused", static_folder=None)
    get(app)
    if not app.before_request_funcs:
        # The compiled build keeps the plan without a call.
        change()
    assert get(app)[1] == b"changed"


def test_a_blueprint_of_flask_is_told_where_ours_is() -> None:
    with pytest.raises(TypeError, match="Import Blueprint from fastdispatch"):
        App("app").register_blueprint(flask.Blueprint("b", "b"))  # type: ignore[arg-type]
