"""A request may use the context of the one before, if nobody has it any more."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest
from werkzeug.test import create_environ
from werkzeug.test import run_wsgi_app

from fastdispatch import after_this_request
from fastdispatch import App
from fastdispatch import flash
from fastdispatch import g
from fastdispatch import request
from fastdispatch import Response
from fastdispatch import session
from fastdispatch import stream_with_context
from fastdispatch.engine.context import Context
from fastdispatch.globals import request_ctx


def make(view: Callable[..., Any]) -> App:
    app = App("reuse", static_folder=None)
    app.secret_key = "secret"
    app.add_url_rule("/first/<name>", endpoint="first", view_func=view)
    return app


def get(app: Any, path: str) -> str:
    body, _, _ = run_wsgi_app(app, create_environ(path))
    return b"".join(body).decode()


def context() -> Any:
    return request_ctx._get_current_object()


def stream() -> Any:
    return stream_with_context(iter(["streamed"]))


def fail() -> Any:
    raise ValueError("on purpose")


def leave(response: Any) -> Any:
    response.headers["X-Left"] = "yes"
    return response


def set_on_it() -> None:
    context().mark = "mark"


DEEDS: dict[str, Callable[[], Any]] = {
    "nothing": lambda: None,
    "request": lambda: request.args.get("x"),
    "g": lambda: setattr(g, "x", "x"),
    "session": lambda: session.update(x="x"),
    "flash": lambda: flash("flashed"),
    "after": lambda: after_this_request(leave) and None,
    "attribute": set_on_it,
    "stream": stream,
    "held": lambda: context().hold() and None,
    "error": fail,
}


@pytest.mark.parametrize("first", ["/first/a", "/nowhere", "/"])
@pytest.mark.parametrize("deed", DEEDS)
def test_a_request_sees_nothing_of_the_one_before(deed: str, first: str) -> None:
    app = make(lambda name: DEEDS[deed]() or name)
    app.logger.disabled = True

    @app.route("/", methods=["GET"])
    def second() -> str:
        ctx = context()
        seen = [
            hasattr(ctx, "mark"),
            *vars(g),
            *session,
            ctx.flashes,
            ctx.routing_exception,
            ctx.endpoint == "second",
            ctx.blueprints,
            ctx.view_args,
            request.path,
        ]
        return repr(seen)

    expected = get(make_second_only(app), "/")
    for _ in range(3):
        get(app, first)
        _, _, headers = run_wsgi_app(app, create_environ("/"))
        assert "X-Left" not in headers
        assert get(app, "/") == expected
        assert not request_ctx


def make_second_only(app: App) -> App:
    other = make(lambda name: name)
    other.add_url_rule(
        "/", endpoint="second", view_func=app.view_functions["second"], methods=["GET"]
    )
    return other


KEPT: dict[str, Callable[[], Any]] = {
    "context": context,
    "dict": lambda: vars(context()),
    "method": lambda: context().push,
}


@pytest.mark.parametrize("how", KEPT)
def test_a_context_that_somebody_keeps_is_left_to_them(how: str) -> None:
    kept: list[Any] = []

    def view(name: str) -> str:
        kept.append(KEPT[how]())
        return name

    app = make(view)
    for name in "abc":
        assert get(app, f"/first/{name}") == name
    assert len({id(one) for one in kept}) == 3
    if how == "context":
        assert [ctx.request.path for ctx in kept] == [f"/first/{n}" for n in "abc"]
        assert [ctx.view_args["name"] for ctx in kept] == list("abc")
    elif how == "dict":
        kept[0]["mark"] = "mark"
        assert get(app, "/first/d") == "d"
        assert "mark" not in kept[3]


def test_weak_references_end_with_the_request() -> None:
    refs: list[weakref.ref[Any]] = []
    told: list[str] = []

    def view(name: str) -> str:
        refs.append(weakref.ref(context(), lambda ref: told.append(name)))
        return name

    app = make(view)
    for count, name in enumerate("abc", 1):
        assert get(app, f"/first/{name}") == name
        assert [ref() for ref in refs] == [None] * count
    assert told == list("abc")


def test_a_request_in_a_request_has_a_context_of_its_own() -> None:
    seen: list[Any] = []

    def view(name: str) -> str:
        ctx = context()
        if len(name) < 4:
            assert get(app, f"/first/{name}{name}") == name * 2
        assert context() is ctx
        assert request.path == f"/first/{name}"
        seen.append(ctx)
        return name

    app = make(view)
    for _ in range(2):
        assert get(app, "/first/a") == "a"
    assert len(set(map(id, seen))) == len(seen) == 6


def test_what_a_request_had_is_let_go_at_its_end() -> None:
    class Thing:
        pass

    app = make(lambda name: name)
    thing = Thing()
    ref = weakref.ref(thing)
    environ = {**create_environ("/first/a"), "thing": thing}
    run_wsgi_app(app, environ)
    del thing, environ
    assert ref() is None


def test_no_context_is_found_between_requests() -> None:
    kept: list[Any] = []
    app = make(lambda name: kept.append(context()) or name)
    seen: list[int] = []

    class Ending:
        def __del__(self) -> None:
            seen.append(contexts())

    def contexts() -> int:
        gc.collect()
        found = [o for o in gc.get_objects() if type(o) is Context]
        # Of other tests some may wait for their end; one that waits for use has no app.
        return len([ctx for ctx in found if ctx.app is app or ctx.app is None])

    # Whatever waited for a request has been used, and is no more.
    get(app, "/first/a")
    kept.clear()
    before = contexts()
    app.view_functions["first"] = lambda name: name
    for _ in range(2):
        app({**create_environ("/first/a"), "ending": Ending()}, lambda *args: None)
        assert contexts() == before
    assert seen == [before, before]


FOUND: dict[str, Callable[[list[Any]], Any]] = {
    "added to": lambda found: found.append(("X-Left", "yes")),
    "emptied": lambda found: found.clear(),
    "kept": lambda found: None,
}


@pytest.mark.parametrize("change", FOUND)
def test_lists_of_headers_that_the_collector_shows_are_sent_to_nobody(
    change: str,
) -> None:
    app = make(lambda name: {"name": name})
    app.json.mimetype = "application/x-reuse"  # type: ignore[attr-defined]
    item = ("Content-Type", "application/x-reuse")
    app(create_environ("/first/a"), lambda status, headers: None)
    found = [o for o in gc.get_objects() if type(o) is list and o[:1] == [item]]
    for one in found:
        FOUND[change](one)
    left = [one[:] for one in found]
    app.json.mimetype = "application/json"  # type: ignore[attr-defined]
    _, _, headers = run_wsgi_app(app, create_environ("/first/b"))
    assert list(headers) == [
        ("Content-Type", "application/json"),
        ("Content-Length", "13"),
    ]
    assert found == left


RESPONSES: dict[str, Callable[[Response], Any]] = {
    "nothing": lambda response: None,
    "header": lambda response: response.headers.add("X-Left", "yes"),
    "cookie": lambda response: response.set_cookie("left", "yes"),
    "status": lambda response: setattr(response, "status", "418 LEFT"),
    "body": lambda response: response.set_data("left"),
    "iterable": lambda response: response.response.append(b"left"),  # type: ignore[attr-defined]
    "on close": lambda response: response.call_on_close(lambda: None),
    "attribute": lambda response: setattr(response, "left", "yes"),
    "mimetype": lambda response: setattr(response, "mimetype", "text/left"),
    "passthrough": lambda response: setattr(response, "direct_passthrough", True),
}


@pytest.mark.parametrize("keep", [False, True], ids=["let go", "kept"])
@pytest.mark.parametrize("name", list(RESPONSES))
def test_a_response_has_nothing_of_the_one_before(name: str, keep: bool) -> None:
    deed = RESPONSES[name]
    kept: list[Response] = []

    def view(name: str) -> Any:
        response = Response("made", 201, {"X-Name": name})
        if name == "left":
            deed(response)
        if keep:
            kept.append(response)
        return response

    app = make(view)
    app.add_url_rule("/text", endpoint="text", view_func=lambda: "text")

    def answer(path: str) -> Any:
        body, status, headers = run_wsgi_app(app, create_environ(path))
        return b"".join(body), status, sorted(headers)

    clean = answer("/first/next"), answer("/text")
    before = [dict(vars(response)) for response in kept]
    for _ in range(3):
        answer("/first/left")
        assert (answer("/first/next"), answer("/text")) == clean
    assert [dict(vars(response)) for response in kept[: len(before)]] == before
    assert len({id(response) for response in kept}) == len(kept)
    if keep:
        assert kept[0].headers["X-Name"] == "next"
        assert kept[1].headers["X-Name"] == "left"


def call_with(kept: Any, call: Callable[[Any], Any]) -> Any:
    """Call with what is in a local variable of this frame, and nowhere else."""
    call(kept)
    return kept


def generate_with(kept: Any, call: Callable[[Any], Any]) -> Any:
    def generate(kept: Any) -> Iterator[Any]:
        yield
        yield kept

    generator = generate(kept)
    next(generator)
    del kept
    call(generator)
    return next(generator)


def find_kept() -> Any:
    """What a waiting frame has in its ``kept``."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        generator = frame.f_locals.get("generator")
        for waiting in (frame, getattr(generator, "gi_frame", None)):
            if waiting is not None and "kept" in waiting.f_locals:
                return waiting.f_locals["kept"]
        frame = frame.f_back
    raise AssertionError("nobody has it")


@pytest.mark.parametrize("wait", [call_with, generate_with])
def test_what_a_waiting_frame_alone_has_is_somebody_s(
    wait: Callable[[Any, Any], Any],
) -> None:
    """CPython 3.14 counts no reference where it hands on what a local variable has."""
    app = make(lambda name: find_kept())
    app.add_url_rule("/new", endpoint="new", view_func=lambda: Response("new"))

    def ask(_: Any) -> None:
        assert get(app, "/first/a") == "kept"
        assert get(app, "/new") == "new"

    for _ in range(3):
        kept = wait(Response("kept", 201, {"X-Kept": "yes"}), ask)
        assert kept.get_data() == b"kept"
        assert (kept.status_code, kept.headers["X-Kept"]) == (201, "yes")
        del kept


@pytest.mark.parametrize("wait", [call_with, generate_with])
def test_a_context_that_a_waiting_frame_alone_has_is_somebody_s(
    wait: Callable[[Any, Any], Any],
) -> None:
    app = make(lambda name: name)

    class Other(App):
        def request_context(self, environ: Any) -> Any:
            return find_kept()

    other = Other("other", static_folder=None)
    other.add_url_rule("/first/<name>", endpoint="first", view_func=lambda name: name)

    def ask(_: Any) -> None:
        assert get(other, "/first/b") == "a"
        assert get(app, "/first/c") == "c"

    for _ in range(3):
        ctx = wait(App.request_context(other, create_environ("/first/a")), ask)
        assert ctx.request.path == "/first/a"


def test_a_response_that_a_teardown_function_can_reach_stays_what_it_is() -> None:
    seen: list[Any] = []

    def view(name: str) -> Any:
        g.response = Response(name)
        g.weak = weakref.ref(g.response)
        return g.response

    app = make(view)

    @app.teardown_request
    def inner(error: BaseException | None) -> None:
        if request.args.get("again"):
            seen.append(get(app, "/first/inner"))
        seen.append((g.response.get_data(), g.weak() is g.response))

    assert get(app, "/first/outer?again=1") == "outer"
    assert seen == [(b"inner", True), "inner", (b"outer", True)]


def test_a_response_made_while_another_is_torn_down() -> None:
    made: list[Any] = []

    def view(name: str) -> Any:
        return Response(name)

    app = make(view)

    @app.teardown_request
    def inner(error: BaseException | None) -> None:
        made.append(Response("late"))
        if request.args.get("again"):
            made.append(get(app, "/first/inner"))

    for _ in range(2):
        made.clear()
        assert get(app, "/first/outer?again=1") == "outer"
        texts = [m if type(m) is str else m.get_data(as_text=True) for m in made]
        assert texts == ["late", "late", "inner"]
        assert made[0] is not made[1]
