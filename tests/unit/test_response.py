"""The response kernel: lazy, yet in every use Werkzeug's ``Response``."""

from __future__ import annotations

import copy
import gc
import pickle
import sys
import weakref
from typing import Any

import flask
import pytest
import werkzeug.exceptions as exceptions
from werkzeug.datastructures import Headers
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.wrappers import Response as WerkzeugResponse

from fastdispatch import App
from fastdispatch.engine import response as kernel
from fastdispatch.engine.response import prove
from fastdispatch.engine.response import quick_to_call
from fastdispatch.engine.response import send
from fastdispatch.wrappers import Response

both = pytest.mark.parametrize(
    "cls", [Response, flask.Response], ids=["ours", "flask's"]
)


class Context:
    endpoint = "the_view"

    def __init__(self, method: str = "GET") -> None:
        self.environ = environ(method)


class Host:
    def __init__(self, response_class: Any = Response) -> None:
        self.response_class = response_class


def make_response(host: Host, rv: Any, ctx: Context) -> Any:
    return kernel.make_response(host, host.response_class, rv, ctx)


def environ(method: str = "GET") -> dict[str, Any]:
    return {"REQUEST_METHOD": method, "wsgi.url_scheme": "http", "HTTP_HOST": "h"}


def sent(response: Any, method: str = "GET") -> tuple[str, list[Any], list[bytes]]:
    """Status, headers and body, as ``send`` hands them to the server."""
    started: list[Any] = []
    body = send(response, environ(method), lambda *args: started.append(args))
    ((status, headers),) = started
    assert type(headers) is list
    return status, headers, list(body)


class Subclass(Response):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.extra = "kept"


# -- The fast path is taken ----------------------------------------------------------


def test_stock_class_is_proved() -> None:
    proof = prove(Response)
    assert proof.creates and proof.builds and proof.sends
    assert prove(Subclass).builds and prove(Subclass).sends
    assert not prove(Subclass).creates


@pytest.mark.parametrize("body", ["text", b"bytes", ("text", 404), exceptions.Gone()])
def test_stock_response_is_sent_as_a_plain_list(body: Any) -> None:
    response = make_response(Host(), body, Context())
    assert type(send(response, environ(), lambda status, headers: None)) is list


def test_what_python_code_has_sent_stays_what_it_is() -> None:
    # From CPython 3.14 on the call below counts no reference of its own.
    response = Response("text", 201)
    send(response, environ(), lambda status, headers: None)
    other = Response("other")
    assert response is not other
    assert (response.get_data(), response.status_code) == (b"text", 201)


def test_no_headers_object_is_made_for_a_response_that_nobody_looked_at() -> None:
    def all_headers() -> list[Any]:
        return [obj for obj in gc.get_objects() if type(obj) is Headers]

    def made(response: Any) -> int:
        found: list[Any] = []
        send(response, environ(), lambda *args: found.append(all_headers()))
        return len(found[0])

    kept = len(all_headers())
    assert made(make_response(Host(), "text", Context())) == kept
    assert made(Response(iter(["a", "b"]), 404)) == kept
    assert made(Response("text", headers={"X-A": "1"})) == kept + 1


# -- and given up as soon as something is not stock ----------------------------------


@pytest.mark.parametrize("owner", [WerkzeugResponse, Response])
@pytest.mark.parametrize("used_before", [False, True])
@pytest.mark.parametrize(
    "name",
    ["get_wsgi_headers", "get_app_iter", "get_wsgi_response", "__call__", "close"],
)
def test_patched_method_is_called(
    owner: Any, name: str, used_before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    original = getattr(WerkzeugResponse, name)

    def patched(self: Any, *args: Any) -> Any:
        called.append(name)
        return original(self, *args)

    if used_before:
        sent(Response("text"))
    monkeypatch.setattr(owner, name, patched)
    body = send(Response("text"), environ(), lambda status, headers: None)
    assert list(body) == [b"text"]
    body.close()  # type: ignore[attr-defined]
    assert called == [name]
    monkeypatch.undo()
    assert type(send(Response(""), environ(), lambda status, headers: None)) is list


@pytest.mark.parametrize("name", ["set_data", "_clean_status", "__init__"])
def test_patched_method_is_called_to_build(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    original = getattr(Response, name)

    def patched(self: Any, *args: Any, **kwargs: Any) -> Any:
        called.append(name)
        return original(self, *args, **kwargs)

    make_response(Host(), "text", Context())
    monkeypatch.setattr(Response, name, patched)
    assert sent(make_response(Host(), "text", Context()))[2] == [b"text"]
    assert called == [name]


@both
def test_method_set_on_the_instance_is_called(cls: Any) -> None:
    response = cls("text")
    response.get_wsgi_headers = lambda environ: Headers([("X-Instance", "yes")])
    assert sent(response) == ("200 OK", [("X-Instance", "yes")], [b"text"])


@both
def test_attribute_set_before_init_counts(cls: Any) -> None:
    class Early(cls):  # type: ignore[misc]
        def __init__(self, *args: Any) -> None:
            self.default_mimetype = "text/early"
            self.default_status = 299
            super().__init__(*args)

    assert sent(Early("x")) == (
        "299 UNKNOWN",
        [("Content-Type", "text/early; charset=utf-8"), ("Content-Length", "1")],
        [b"x"],
    )


@both
def test_class_attributes_are_read_live(
    cls: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(cls("x"))
    monkeypatch.setattr(cls, "default_mimetype", "a/b")
    monkeypatch.setattr(cls, "default_status", 404)
    status, headers, _ = sent(cls("x"))
    assert (status, headers[0]) == ("404 NOT FOUND", ("Content-Type", "a/b"))
    monkeypatch.setattr(cls, "default_status", "299 Odd")
    monkeypatch.setattr(cls, "automatically_set_content_length", False)
    assert sent(cls("x"))[:2] == ("299 Odd", [("Content-Type", "a/b")])


@both
@pytest.mark.parametrize("code", [200, 299, 999])
def test_reasons_are_read_live(
    cls: Any, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sent(cls("x", code))[0].startswith(str(code))
    monkeypatch.setitem(HTTP_STATUS_CODES, code, "Mine")
    assert sent(cls("x", code))[0] == f"{code} MINE"
    assert (
        sent(make_response(Host(cls), ("x", code), Context()))[0] == f"{code} MINE"
        if cls is Response
        else True
    )
    monkeypatch.delitem(HTTP_STATUS_CODES, code)
    assert sent(cls("x", code))[0] == f"{code} UNKNOWN"


def test_default_status_has_its_reason_read_live(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_response(Host(), "x", Context())
    monkeypatch.setitem(HTTP_STATUS_CODES, 200, "Fine")
    assert sent(make_response(Host(), "x", Context()))[0] == "200 FINE"


def test_response_class_is_read_live() -> None:
    host = Host()
    assert type(make_response(host, "x", Context())) is Response
    host.response_class = Subclass
    assert make_response(host, "x", Context()).extra == "kept"
    host.response_class = flask.Response
    assert type(make_response(host, "x", Context())) is flask.Response


def test_patched_exception_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert b"Gone" in sent(make_response(Host(), exceptions.Gone(), Context()))[2][0]
    monkeypatch.setattr(
        exceptions.HTTPException, "get_body", lambda self, *args: "patched"
    )
    response = make_response(Host(), exceptions.Gone(), Context())
    assert sent(response)[2] == [b"patched"]


# -- Lazy attributes -----------------------------------------------------------------


@both
def test_attributes_keep_their_identity(cls: Any) -> None:
    response = cls("text", 404)
    assert response.headers is response.headers
    assert response.response is response.response
    assert response._on_close is response._on_close
    response.response.append(b" more")
    response.headers["X-A"] = "1"
    assert response.get_data() == b"text more"
    # The length was set with the text: it is the list's owner who has to mend it.
    assert sent(response) == (
        "404 NOT FOUND",
        [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", "4"),
            ("X-A", "1"),
        ],
        [b"text", b" more"],
    )


@both
def test_attributes_are_settable(cls: Any) -> None:
    response = cls("text")
    headers = Headers([("X-A", "1")])
    response.headers = headers
    response.response = iter(["a", "b"])
    response._status = "299 Odd"
    response._status_code = 299
    closed: list[str] = []
    response._on_close = [lambda: closed.append("closed")]
    assert response.headers is headers
    assert (response.status, response.status_code) == ("299 Odd", 299)
    started: list[Any] = []
    body = send(response, environ(), lambda *args: started.append(args))
    assert started == [("299 Odd", [("X-A", "1")])]
    assert list(body) == [b"a", b"b"]
    body.close()  # type: ignore[attr-defined]
    body.close()  # type: ignore[attr-defined]
    assert closed == ["closed", "closed"]
    response.direct_passthrough = True
    response.response = [b"raw"]
    assert send(response, environ(), lambda *args: None) is response.response


@both
def test_server_may_change_the_header_list(cls: Any) -> None:
    response = cls("text")
    for _ in range(2):
        send(response, environ(), lambda status, headers: headers.clear())
        assert len(response.headers) == 2
    send(cls("text"), environ(), lambda status, headers: headers.clear())
    assert len(sent(cls("text"))[1]) == 2


@both
def test_status_that_is_no_small_int(cls: Any) -> None:
    assert cls("", 10**12).status_code == 10**12
    response = cls("")
    response._status_code = None
    with pytest.raises(TypeError):
        sent(response)


@both
def test_headers_before_init_are_an_attribute_error(cls: Any) -> None:
    with pytest.raises(AttributeError):
        cls.__new__(cls).headers  # noqa: B018


@both
@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy, pickle.dumps])
def test_copies(cls: Any, copier: Any) -> None:
    response = cls("text", 404, {"X-A": "1"})
    response.extra = [1]
    response.freeze()
    other = copier(response)
    if copier is pickle.dumps:
        other = pickle.loads(other)
    assert other is not response
    assert type(other) is cls
    assert other.extra == [1]
    assert list(other.headers) == list(response.headers)
    assert sent(other) == sent(response)
    assert (other.headers is response.headers) == (copier is copy.copy)


@both
def test_weakref_and_freedom(cls: Any) -> None:
    response = cls("text")
    response.headers["X-A"] = "1"
    body = send(response, environ(), lambda *args: None)
    dead = weakref.ref(response)
    gc.disable()
    try:
        del response, body
        assert dead() is None
    finally:
        gc.enable()


@both
def test_repr(cls: Any) -> None:
    assert repr(cls("text", 404)) == "<Response 4 bytes [404 NOT FOUND]>"
    assert repr(cls(iter(()))) == "<Response streamed [200 OK]>"


# -- The body as the server sees it --------------------------------------------------


@both
def test_closed_body_gives_nothing_more(cls: Any) -> None:
    body = send(cls(iter(["a", "b", "c"])), environ(), lambda *args: None)
    assert next(iter(body)) == b"a"
    body.close()  # type: ignore[attr-defined]
    assert list(body) == []


@both
def test_error_ends_the_body(cls: Any) -> None:
    def stream() -> Any:
        yield "a"
        raise ZeroDivisionError

    body = iter(send(cls(stream()), environ(), lambda *args: None))
    assert next(body) == b"a"
    with pytest.raises(ZeroDivisionError):
        next(body)
    assert list(body) == []


@both
def test_call_on_close_keeps_the_response_closing(cls: Any) -> None:
    closed: list[int] = []
    response = cls("text")

    @response.call_on_close
    def close() -> None:
        closed.append(1)

    body = send(response, environ(), lambda *args: None)
    response._on_close.append(lambda: closed.append(2))
    assert list(body) == [b"text"]
    assert closed == []
    body.close()  # type: ignore[attr-defined]
    assert closed == [1, 2]


@both
def test_body_that_cannot_be_iterated(cls: Any) -> None:
    body = send(cls(3), environ(), lambda *args: None)
    with pytest.raises(TypeError):
        list(body)


@both
@pytest.mark.parametrize("value", ["x\ny", "x\ry", "x\r\nSet-Cookie: a=b"])
def test_newline_never_reaches_the_wire(cls: Any, value: str) -> None:
    for kwargs in (
        {"headers": {"X-A": value}},
        {"headers": [("X-A", value)]},
        {"content_type": value},
        {"mimetype": value},
    ):
        with pytest.raises(ValueError, match="newline"):
            cls("text", **kwargs)
    response = cls("text")
    response.headers._list.append(("X-A", value))
    with pytest.raises(ValueError, match="newline"):
        sent(response)


@both
@pytest.mark.parametrize("status", [100, 199, 204, 304])
def test_status_without_body(cls: Any, status: int) -> None:
    assert sent(cls("text", status))[2] == []


@both
def test_head(cls: Any) -> None:
    status, headers, body = sent(cls("text"), "HEAD")
    assert dict(headers)["Content-Length"] == "4"
    assert body == []


def test_other_applications_are_called() -> None:
    def application(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return [b"application"]

    assert sent(application) == ("200 OK", [], [b"application"])


def test_error_of_start_response_is_raised() -> None:
    def start_response(status: str, headers: Any) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        send(Response("text"), environ(), start_response)


# -- Taking over other responses -----------------------------------------------------


class Foreign(WerkzeugResponse):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.extra = "kept"


def test_force_type_shares_what_it_takes_over() -> None:
    foreign = Foreign("text", 404, {"X-A": "1"})
    closed: list[int] = []
    foreign.call_on_close(lambda: closed.append(1))
    response = make_response(Host(Subclass), foreign, Context())
    assert type(response) is Subclass
    assert response.extra == "kept"
    assert response.headers is foreign.headers
    assert response.response is foreign.response
    assert response._on_close is foreign._on_close
    assert sent(response) == sent(foreign)
    response.close()
    assert closed == [1]


def test_force_type_within_our_classes_is_in_place() -> None:
    response = Response("text")
    assert Subclass.force_type(response) is response
    assert type(response) is Subclass


def test_our_response_where_the_class_is_not_ours() -> None:
    response = make_response(Host(Foreign), Response("text", 404), Context())
    assert type(response) is Foreign
    assert sent(response)[0] == "404 NOT FOUND"
    assert sent(response)[2] == [b"text"]


def test_force_type_without_environ() -> None:
    with pytest.raises(TypeError, match="pass an environ"):
        Response.force_type(lambda environ, start_response: [])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_exception_becomes_a_streamed_response(method: str) -> None:
    """As in Flask, where the exception is run as an application."""
    ours = make_response(Host(), exceptions.NotFound(), Context(method))
    with flask.Flask("x").test_request_context(method=method) as ctx:
        theirs = ctx.app.make_response(exceptions.NotFound())
    for response in (ours, theirs):
        assert response.is_streamed
        assert not response.is_sequence
    assert ours.get_data() == theirs.get_data()
    assert ours.is_sequence and theirs.is_sequence
    assert list(ours.headers) == list(theirs.headers)


# -- Messages ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rv", "match"),
    [
        (None, "'the_view' did not return a valid response: it returned None"),
        ((None, 200), "'the_view' did not return a valid response: it returned None"),
        (True, "'the_view' did not return a valid response: it was a bool. Return a"),
        (("a",), "'the_view' returned a tuple of 1 items. A response tuple must have"),
        ((), "tuple must have the form"),
        (lambda: "", "takes 0 positional arguments.*\n.*it was a function"),
    ],
)
def test_c45_message_names_the_endpoint(rv: Any, match: str) -> None:
    with pytest.raises(TypeError, match=match):
        make_response(Host(), rv, Context())


# -- What Flask's Response adds ------------------------------------------------------


def test_max_cookie_size_is_the_current_apps() -> None:
    response = Response()
    assert response.max_cookie_size == WerkzeugResponse.max_cookie_size
    app = App("app")
    app.config["MAX_COOKIE_SIZE"] = 10
    with app.app_context():
        assert response.max_cookie_size == 10
        with pytest.warns(UserWarning, match="cookie is too large"):
            response.set_cookie("key", "x" * 20)


def test_json_of_a_response() -> None:
    response = Response('{"a": 1}', mimetype="application/json")
    assert response.json == {"a": 1}
    app = App("app")
    with app.app_context():
        assert response.get_json() == {"a": 1}
    assert Response("text").json is None


# -- However the class is called -----------------------------------------------------
CALLS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}),
    (("text",), {}),
    ((b"bytes", 201), {}),
    (("text", "418 Tea", {"X-One": "1"}), {}),
    (("text", 200, [("X-One", "1")], "text/plain"), {}),
    (("text", 200, None, None, "text/css; x=y", True), {}),
    ((), {"response": ["a", b"b"], "status": 404}),
    (("text",), {"status": 202, "content_type": "text/csv"}),
    (("text",), {"mimetype": "text/plain", "headers": Headers([("X-One", "1")])}),
    ((None, None, None, None, None, False), {}),
    ((), {"direct_passthrough": True}),
    (("text",), {"".join(["stat", "us"]): 203}),
    (("text", 200, None, None, None, False, 7), {}),
    (("text",), {"response": "again"}),
    (("text",), {"unknown": 1}),
    (("text",), {"status": "no\nstatus"}),
    (("text",), {"status": 200, "mimetype": 7}),
    (("text",), {"headers": 7}),
]


def outcome(cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        response = cls(*args, **kwargs)
    except Exception as e:
        return type(e)
    assert type(response) is cls
    return (
        response.status,
        response.status_code,
        response.headers.to_wsgi_list(),
        response.direct_passthrough,
        response.is_sequence,
        b"".join(response.iter_encoded()),
    )


@pytest.mark.parametrize("args, kwargs", CALLS)
def test_calls_of_the_class(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    expected = outcome(flask.Response, args, kwargs)
    assert outcome(Response, args, kwargs) == expected
    assert outcome(Subclass, args, kwargs) == expected


def test_a_patched_init_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    stock = Response.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        stock(self, *args, **kwargs)
        self.headers["X-Patched"] = "yes"

    assert "X-Patched" not in Response("text").headers
    monkeypatch.setattr(Response, "__init__", init)
    assert Response("text").headers["X-Patched"] == "yes"
    assert Subclass("text").headers["X-Patched"] == "yes"
    monkeypatch.undo()
    assert "X-Patched" not in Response("text").headers


def test_a_patched_new_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    # A class of its own: Python does not undo a __new__ altogether.
    @quick_to_call
    class Own(Response):
        pass

    other = object()
    assert type(Own("text", status=201)) is Own
    monkeypatch.setattr(Own, "__new__", lambda *args, **kwargs: other)
    assert Own("text", status=201) is other  # type: ignore[comparison-overlap]
    assert Own("text", unknown=1) is other  # type: ignore[call-arg]


def test_calls_leave_nothing_behind() -> None:
    body = "text" * 20
    status = "299 Own"
    names = ["mime", "type"]
    counted = [sys.getrefcount(value) for value in (body, status)]
    for _ in range(100):
        Response(body, status, mimetype="text/plain")
        Response(body, status=status, **{"".join(names): "text/plain"})
        with pytest.raises(TypeError):
            Response(body, status, unknown=body)  # type: ignore[call-arg]
        with pytest.raises(TypeError):
            Response(body, headers=7, status=status)  # type: ignore[arg-type]
    assert [sys.getrefcount(value) for value in (body, status)] == counted
