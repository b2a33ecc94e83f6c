"""Responses and errors that are not made because nobody can see them."""

from __future__ import annotations

from typing import Any

import flask
import pytest
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import NotFound

import fastdispatch
from fastdispatch import App

both = pytest.mark.parametrize("module", [flask, fastdispatch], ids=["flask", "app"])


def make(module: Any) -> Any:
    cls = flask.Flask if module is flask else App
    app = cls("unseen", static_folder=None)
    app.add_url_rule("/", endpoint="index", view_func=lambda: "index")
    app.add_url_rule("/bytes", endpoint="bytes", view_func=lambda: b"\xff")
    return app


def answer(app: Any, path: str, method: str = "GET") -> tuple[str, bytes, list[Any]]:
    rv = app.test_client().open(path, method=method)
    if "Allow" in rv.headers:
        # Made of a set: Werkzeug's has the same methods, in whatever order.
        rv.headers["Allow"] = ", ".join(sorted(rv.allow))
    return rv.status, rv.data, list(rv.headers)


@both
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/bytes", "/nowhere", "/\xe9"])
def test_answers_are_the_same_as_those_that_are_seen(
    module: Any, path: str, method: str
) -> None:
    unseen = answer(make(module), path, method)
    app = make(module)
    app.after_request(lambda response: response)
    assert answer(app, path, method) == unseen
    if module is fastdispatch:
        assert answer(make(flask), path, method) == unseen


@both
def test_routing_exception_is_there_for_who_looks(module: Any) -> None:
    app = make(module)
    app.config["TESTING"] = True
    seen: list[Any] = []
    app.before_request(lambda: seen.append(module.request.routing_exception))
    app.teardown_request(lambda error: seen.append(module.request.routing_exception))
    assert answer(app, "/nowhere")[0] == "404 NOT FOUND"
    assert type(seen[0]) is NotFound
    assert seen[1] is seen[0]


def test_routing_exception_at_teardown_only() -> None:
    app = make(fastdispatch)
    seen: list[Any] = []
    app.teardown_request(
        lambda error: seen.append(fastdispatch.request.routing_exception)
    )
    answer(app, "/nowhere")
    assert type(seen[0]) is NotFound


@both
def test_taking_the_routing_exception_away(module: Any) -> None:
    app = make(module)

    def no_error() -> str | None:
        if module.request.path == "/nowhere":
            module.request.routing_exception = None
            return "here"
        return None

    app.before_request(no_error)
    assert answer(app, "/nowhere")[:2] == ("200 OK", b"here")


@both
@pytest.mark.parametrize("kind", [404, NotFound, HTTPException, Exception])
def test_handler_registered_after_a_404(module: Any, kind: Any) -> None:
    app = make(module)
    with app.test_request_context("/nowhere"):
        app.handle_user_exception(NotFound())
    app.register_error_handler(kind, lambda error: ("handled", 418))
    assert answer(app, "/nowhere")[:2] == ("418 I'M A TEAPOT", b"handled")


@both
def test_handlers_put_into_a_live_app(module: Any) -> None:
    app = make(module)
    assert answer(app, "/nowhere")[0] == "404 NOT FOUND"
    app.error_handler_spec[None][404][NotFound] = lambda error: "put there"
    assert answer(app, "/nowhere")[:2] == ("200 OK", b"put there")


@both
def test_trapped_http_exceptions(module: Any) -> None:
    app = make(module)
    assert answer(app, "/nowhere")[0] == "404 NOT FOUND"
    app.config["TRAP_HTTP_EXCEPTIONS"] = True
    assert answer(app, "/nowhere")[0] == "500 INTERNAL SERVER ERROR"


@both
@pytest.mark.parametrize(
    "step",
    [
        "handle_user_exception",
        "handle_http_exception",
        "raise_routing_exception",
        "dispatch_request",
    ],
)
def test_overridden_step(
    module: Any, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make(module)
    assert answer(app, "/nowhere")[0] == "404 NOT FOUND"

    def answers(*args: Any) -> Any:
        if step == "raise_routing_exception":
            raise NotFound(response=app.response_class("overridden"))
        return "overridden"

    with monkeypatch.context() as patched:
        patched.setattr(app, step, answers)
        assert answer(app, "/nowhere")[1] == b"overridden"
    assert answer(app, "/nowhere")[0] == "404 NOT FOUND"
    with monkeypatch.context() as patched:
        patched.setattr(type(app), step, answers)
        assert answer(app, "/nowhere")[1] == b"overridden"


@both
def test_patched_page(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make(module)
    before = answer(app, "/nowhere")
    with monkeypatch.context() as patched:
        patched.setattr(NotFound, "description", "patched")
        assert b"patched" in answer(app, "/nowhere")[1]
    with monkeypatch.context() as patched:
        patched.setattr(NotFound, "get_body", lambda *args: "<p>body")
        assert answer(app, "/nowhere")[1] == b"<p>body"
    assert answer(app, "/nowhere") == before


@both
@pytest.mark.parametrize("name", ["__init__", "description", "code"])
def test_page_that_is_another_one_each_time(
    module: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make(module)
    stock_init = HTTPException.__init__
    patches = {
        "__init__": lambda error: stock_init(error, module.request.path),
        "description": property(lambda error: module.request.path),
        "code": property(lambda error: int(module.request.path[1:])),
    }
    monkeypatch.setattr(NotFound, name, patches[name])
    for path in ("/410", "/418", "/411"):
        status, data, _ = answer(app, path)
        assert path[1:] in (status if name == "code" else data.decode())


@both
def test_error_of_a_view_keeps_its_traceback(module: Any) -> None:
    app = make(module)
    error = ValueError("no")

    def fails() -> str:
        raise error

    app.add_url_rule("/fails", endpoint="fails", view_func=fails)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    with pytest.raises(ValueError) as caught:
        answer(app, "/fails")
    assert caught.value is error
    names = [entry.name for entry in caught.traceback]
    assert names.count("fails") == 1


@both
def test_silent_log_still_answers(module: Any) -> None:
    app = make(module)
    app.add_url_rule("/fails", endpoint="fails", view_func=lambda: 1 / 0)
    app.logger.disabled = True
    seen: list[Any] = []
    module.got_request_exception.connect(
        lambda sender, exception, **extra: seen.append(exception), app, weak=False
    )
    assert answer(app, "/fails")[0] == "500 INTERNAL SERVER ERROR"
    assert type(seen[0]) is ZeroDivisionError
