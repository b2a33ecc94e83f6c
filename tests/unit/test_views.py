"""Views as classes: the same tests on ours and on Flask's."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import flask
import flask.views
import pytest

import fastdispatch
import fastdispatch.views


class Lib:
    def __init__(self, name: str) -> None:
        package: Any = flask if name == "flask" else fastdispatch
        self.app = (flask.Flask if name == "flask" else fastdispatch.App)("x")
        self.app.testing = True
        self.views: Any = package.views
        self.request = package.request
        self.name = name

    def client(self) -> Any:
        return self.app.test_client()


@pytest.fixture(params=["ours", "flask"])
def lib(request: pytest.FixtureRequest) -> Lib:
    return Lib(request.param)


def test_dispatch_request_gets_the_url_arguments(lib: Lib) -> None:
    class Hello(lib.views.View):
        """Says hello."""

        def dispatch_request(self, name: str) -> str:
            return f"Hello, {name}"

    view = Hello.as_view("hello")
    lib.app.add_url_rule("/<name>", view_func=view)
    assert (view.__name__, view.__doc__) == ("hello", "Says hello.")
    assert (view.__module__, view.view_class) == (__name__, Hello)
    assert view.methods is None and view.provide_automatic_options is None
    assert lib.client().get("/x").text == "Hello, x"
    assert lib.client().post("/x").status_code == 405


def test_dispatch_request_must_be_overridden(lib: Lib) -> None:
    with pytest.raises(NotImplementedError):
        lib.views.View().dispatch_request()


@pytest.mark.parametrize("each", [True, False])
def test_init_every_request(lib: Lib, each: bool) -> None:
    made: list[tuple[Any, ...]] = []

    class Index(lib.views.View):
        init_every_request = each

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            made.append((args, kwargs))

        def dispatch_request(self) -> str:
            return "x"

    lib.app.add_url_rule("/", view_func=Index.as_view("index", 1, b=2))
    client = lib.client()
    for _ in range(3):
        client.get("/")
    assert made == [((1,), {"b": 2})] * (3 if each else 1)


def test_view_class_can_be_replaced(lib: Lib) -> None:
    class Index(lib.views.MethodView):
        def get(self) -> str:
            return "first"

    class Other(Index):
        def get(self) -> str:
            return "other"

    view = Index.as_view("index")
    view.view_class = Other
    lib.app.add_url_rule("/", view_func=view)
    assert lib.client().get("/").text == "other"


@pytest.mark.parametrize("each", [True, False])
def test_decorators_first_one_innermost(lib: Lib, each: bool) -> None:
    seen: list[Any] = []

    def mark(name: str) -> Callable[[Any], Any]:
        def decorator(f: Any) -> Any:
            seen.append((f.__name__, f.__module__))

            def inner(**kwargs: Any) -> str:
                return f"{name}({f(**kwargs)})"

            inner.__name__ = "wrapped"
            return inner

        return decorator

    class Index(lib.views.View):
        init_every_request = each
        decorators = [mark("a"), mark("b")]

        def dispatch_request(self) -> str:
            return "x"

    view = Index.as_view("index")
    assert seen == [("index", __name__), ("wrapped", __name__)]
    assert view.__name__ == "index"
    lib.app.add_url_rule("/", view_func=view)
    assert lib.client().get("/").text == "b(a(x))"


def test_methods_are_those_that_exist(lib: Lib) -> None:
    class Base(lib.views.MethodView):
        def get(self) -> str:
            return "get"

    class More(Base):
        def propfind(self) -> str:
            return "p"

        def post(self) -> str:
            return "post"

    class Fixed(Base):
        methods = ["PUT"]

    class Below(Fixed):
        pass

    class Without(More):
        post = None  # type: ignore[assignment]

    assert lib.views.MethodView.methods is None
    assert set(Base.methods) == {"GET"}
    assert set(More.methods) == {"GET", "POST"}
    assert Fixed.methods == ["PUT"]
    assert set(Below.methods) == {"GET", "PUT"}
    assert set(Without.methods) == {"GET", "POST"}


def test_c25_head_falls_back_to_get(lib: Lib) -> None:
    class Both(lib.views.MethodView):
        def get(self) -> str:
            return "body"

    class Own(Both):
        def head(self) -> Any:
            return lib.app.response_class("", headers={"X-Method": "HEAD"})

    lib.app.add_url_rule("/both", view_func=Both.as_view("both"))
    lib.app.add_url_rule("/own", view_func=Own.as_view("own"))
    client = lib.client()
    assert client.head("/both").status_code == 200
    assert client.head("/both").data == b""
    assert "X-Method" not in client.head("/both").headers
    assert client.head("/own").headers["X-Method"] == "HEAD"


@pytest.mark.parametrize(("automatic", "status"), [(None, 200), (False, 405)])
def test_c25_provide_automatic_options(lib: Lib, automatic: Any, status: int) -> None:
    class Index(lib.views.View):
        provide_automatic_options = automatic

        def dispatch_request(self) -> str:
            return "x"

    lib.app.add_url_rule("/", view_func=Index.as_view("index"))
    assert lib.client().options("/").status_code == status


def test_a_registered_method_that_does_not_exist(lib: Lib) -> None:
    class Index(lib.views.MethodView):
        def get(self) -> str:
            return "x"

    lib.app.add_url_rule("/", view_func=Index.as_view("index"), methods=["PUT"])
    with pytest.raises(AssertionError, match="'PUT'"):
        lib.client().put("/")


def test_c46_async_methods(lib: Lib) -> None:
    class Index(lib.views.MethodView):
        async def get(self) -> str:
            return f"async {lib.request.method}"

    class Single(lib.views.View):
        async def dispatch_request(self) -> str:
            return "single"

    lib.app.add_url_rule("/", view_func=Index.as_view("index"))
    lib.app.add_url_rule("/single", view_func=Single.as_view("single"))
    assert lib.client().get("/").text == "async GET"
    assert lib.client().get("/single").text == "single"


def test_a_decorator_may_use_wraps(lib: Lib) -> None:
    def twice(f: Any) -> Any:
        @functools.wraps(f)
        def inner(**kwargs: Any) -> Any:
            return f(**kwargs) * 2

        return inner

    class Index(lib.views.View):
        decorators = [twice]

        def dispatch_request(self) -> str:
            return "x"

    lib.app.add_url_rule("/", view_func=Index.as_view("index"))
    assert lib.client().get("/").text == "xx"
