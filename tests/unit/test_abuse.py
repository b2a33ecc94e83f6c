"""What applications do to us that nobody means, and other threads at odd times."""

from __future__ import annotations

import contextvars
import gc
import sys
from typing import Any

import pytest
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from fastdispatch import abort
from fastdispatch import App
from fastdispatch import current_app
from fastdispatch import request
from fastdispatch.config import Config
from fastdispatch.engine.context import Context
from fastdispatch.wrappers import Request
from fastdispatch.wrappers import Response


def make_app(cls: type[App] = App) -> App:
    app = cls("abused", static_folder=None)
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


@pytest.mark.parametrize("kind", ["None", "an app's", "not initialised", "no context"])
def test_request_context_returns_what_is_none(kind: str) -> None:
    class Abused(App):
        def request_context(self, environ: Any) -> Any:
            if kind == "an app's":
                return self.app_context()
            if kind == "not initialised":
                return Uninitialised(self, environ)
            return None if kind == "None" else object()

    app = make_app(Abused)
    app.testing = True

    def run() -> None:
        with pytest.raises((AttributeError, RuntimeError, TypeError)):
            get(app)

    contextvars.Context().run(run)


def test_uninitialised_context_is_an_error() -> None:
    app = make_app()
    for use in (Uninitialised.push, Uninitialised.pop, Uninitialised.match_request):
        with pytest.raises((AttributeError, RuntimeError, TypeError)):
            contextvars.Context().run(use, Uninitialised(app))


class ElsewhereConfig(Config):
    elsewhere: dict[str, Any]

    def __getitem__(self, key: str) -> Any:
        if key in self.elsewhere:
            return self.elsewhere[key]
        return super().__getitem__(key)


def test_config_that_looks_elsewhere() -> None:
    app = make_app()
    config = ElsewhereConfig(app.root_path, dict(app.config))
    config.elsewhere = {}
    app.config = config
    assert get(app, HTTP_HOST="evil.test")[0] == "200 OK"
    config.elsewhere["TRUSTED_HOSTS"] = ["good.test"]
    assert get(app, HTTP_HOST="evil.test")[0] == "400 BAD REQUEST"
    assert get(app, HTTP_HOST="good.test")[0] == "200 OK"


def test_view_functions_that_wrap() -> None:
    class Wrapping(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            view = super().__getitem__(key)
            return lambda: f"wrapped {view()}"

    app = make_app()
    app.view_functions = Wrapping(app.view_functions)
    assert get(app)[1] == b"wrapped index"


@pytest.mark.parametrize("kind", ["app", "request"])
def test_context_pushed_and_forgotten(kind: str) -> None:
    app = make_app()
    ended: list[str] = []
    app.teardown_request(lambda error: ended.append(request.path))
    app.teardown_appcontext(lambda error: ended.append("app"))

    @app.get("/forgets")
    def forgets() -> str:
        ctx = app.app_context() if kind == "app" else app.test_request_context("/stray")
        ctx.push()
        return "forgotten"

    def run() -> None:
        with pytest.raises(RuntimeError, match="the active context is"):
            get(app, "/forgets")
        assert ended == ["/forgets", "app"]
        assert not current_app
        assert get(app) == ("200 OK", b"index")
        assert ended == ["/forgets", "app", "/", "app"]

    contextvars.Context().run(run)


@pytest.mark.parametrize("where", ["instance", "class", "table"])
def test_patch_while_the_plan_is_drawn(where: str) -> None:
    called: list[str] = []

    class Abused(App):
        drawn = False

        def _make_plan(self) -> Any:
            plan = super()._make_plan()
            if not Abused.drawn:
                # What another thread could do now.
                Abused.drawn = True
                if where == "table":
                    self.before_request_funcs = {None: [lambda: called.append("hook")]}
                elif where == "instance":
                    self.dispatch_request = patched  # type: ignore[method-assign]
                else:
                    Abused.dispatch_request = patched  # type: ignore[assignment]
            return plan

    def patched(*args: Any) -> str:
        called.append("patched")
        return "patched"

    app = make_app(Abused)
    get(app)
    called.clear()
    get(app)
    assert called == ["hook" if where == "table" else "patched"]


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


def test_request_of_a_context_is_replaced() -> None:
    app = make_app()
    with app.test_request_context("/") as ctx:
        other = Request(EnvironBuilder(path="/other").get_environ())
        ctx.request = other
        assert request.path == "/other"
        assert ctx.request is other
