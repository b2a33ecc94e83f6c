"""Whatever a view returns, the server sees from us what it sees from Flask."""

from __future__ import annotations

import io
from http import HTTPStatus
from typing import Any

import flask
import hypothesis.strategies as st
import pytest
import werkzeug.exceptions as exceptions
from hypothesis import given
from markupsafe import Markup
from werkzeug.datastructures import Headers
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as WerkzeugResponse

from fastdispatch.engine.response import make_response
from fastdispatch.engine.response import send
from fastdispatch.json import DefaultJSONProvider
from fastdispatch.wrappers import Response

flask_app = flask.Flask("oracle")


class OurApp:
    """What ``make_response`` needs of an app."""

    debug = False
    response_class: Any = Response

    def __init__(self) -> None:
        self.json = DefaultJSONProvider(self)


our_app = OurApp()


class OurSubclass(Response):
    default_status = 201
    default_mimetype = "application/xml"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.extra = "kept"
        super().__init__(*args, **kwargs)


class FlaskSubclass(flask.Response):
    default_status = 201
    default_mimetype = "application/xml"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.extra = "kept"
        super().__init__(*args, **kwargs)


class OurOverriding(Response):
    automatically_set_content_length = False
    default_mimetype = None

    def get_wsgi_headers(self, environ: Any) -> Headers:
        headers = super().get_wsgi_headers(environ)
        headers["X-Overridden"] = "yes"
        return headers


class FlaskOverriding(flask.Response):
    automatically_set_content_length = False
    default_mimetype = None

    def get_wsgi_headers(self, environ: Any) -> Headers:
        headers = super().get_wsgi_headers(environ)
        headers["X-Overridden"] = "yes"
        return headers


class OurClosing(Response):
    closed = 0

    def close(self) -> None:
        type(self).closed += 1
        super().close()


class FlaskClosing(flask.Response):
    closed = 0

    def close(self) -> None:
        type(self).closed += 1
        super().close()


CLASSES: list[tuple[type[Any], type[Any]]] = [
    (Response, flask.Response),
    (OurSubclass, FlaskSubclass),
    (OurOverriding, FlaskOverriding),
    (OurClosing, FlaskClosing),
]


class Side:
    """One of the two implementations, and the log of what it called."""

    def __init__(self, cls: type[Any], convert: Any, call: Any) -> None:
        self.cls = cls
        self.convert = convert
        self.call = call
        self.log: list[str] = []


class Text(str):
    pass


class Body:
    """An iterable, not an iterator, that counts how often it is closed."""

    def __init__(self, log: list[str], items: list[Any]) -> None:
        self.log = log
        self.items = items

    def __iter__(self) -> Any:
        try:
            yield from self.items
        finally:
            self.log.append("iteration over")

    def close(self) -> None:
        self.log.append("body closed")


def generate(log: list[str], items: list[Any]) -> Any:
    try:
        for item in items:
            if item == "raise":
                raise ZeroDivisionError
            yield item
    finally:
        log.append("generator over")


text = st.text(max_size=8) | st.sampled_from(["", "hello", "é", "\ud800", "a\nb"])
data = st.binary(max_size=8)
items = st.lists(text | data | st.sampled_from(["raise", "a", b"b"]), max_size=4)

# (name of the kind, its argument): made anew for each side.
bodies = st.one_of(
    st.tuples(st.just("plain"), st.none() | text | data),
    st.tuples(st.just("bytearray"), data),
    st.tuples(st.just("Markup"), text),
    st.tuples(st.just("Text"), text),
    st.tuples(st.just("list"), items),
    st.tuples(st.just("tuple"), items),
    st.tuples(st.just("generator"), items),
    st.tuples(st.just("iterator"), items),
    st.tuples(st.just("Body"), items),
    st.tuples(st.just("file"), data),
    st.tuples(st.just("plain"), st.sampled_from([3, True, [1], {"a": 1}])),
)

values = st.one_of(
    text,
    st.sampled_from(
        ["x", "x\r\nX-Bad: 1", "x\n", "x\r", 3, None, b"bytes", 1.5, "/ü?q=ä#f"]
    ),
)
names = st.sampled_from(
    [
        "X-A",
        "x-a",
        "Content-Type",
        "content-type",
        "Content-Length",
        "content-length",
        "Location",
        "Content-Location",
        "Allow",
        "Vary",
        "Set-Cookie",
        "Expires",
    ]
)
pairs = st.lists(st.tuples(names, values), max_size=3)
header_arguments = st.one_of(
    st.tuples(st.just("None"), pairs),
    st.tuples(st.just("list"), pairs),
    st.tuples(st.just("dict"), pairs),
    st.tuples(st.just("Headers"), pairs),
    st.tuples(st.just("MultiDict"), pairs),
    st.tuples(st.just("lists"), pairs),
    st.tuples(st.just("tuple"), pairs),
)
statuses = st.one_of(
    st.none(),
    st.none(),
    st.sampled_from([200, 201, 204, 304, 100, 199, 206, 404, 500, 299, 0, -1, 10**12]),
    st.sampled_from(["200", "404 Odd", "odd", "", " 201 ", "204", "304 X", "x y"]),
    st.sampled_from([HTTPStatus.NOT_FOUND, HTTPStatus.NO_CONTENT, True, b"200", 2.5]),
)
content_types = st.sampled_from(
    [None, None, "text/plain", "application/json", "a/b+xml", "x\ny", "", 5]
)


def make_body(kind: str, argument: Any, log: list[str]) -> Any:
    match kind:
        case "bytearray":
            return bytearray(argument)
        case "Markup":
            return Markup(argument)
        case "Text":
            return Text(argument)
        case "list":
            return list(argument)
        case "tuple":
            return tuple(argument)
        case "generator":
            return generate(log, argument)
        case "iterator":
            return iter(list(argument))
        case "Body":
            return Body(log, argument)
        case "file":
            return io.BytesIO(argument)
    # A step may change it.
    return list(argument) if isinstance(argument, list) else argument


def make_headers(kind: str, argument: list[tuple[str, Any]]) -> Any:
    match kind:
        case "None":
            return None
        case "dict":
            return dict(argument)
        case "Headers":
            return Headers(argument)
        case "MultiDict":
            return MultiDict(argument)
        case "lists":
            return {name: [value, "second"] for name, value in argument}
        case "tuple":
            return tuple(argument)
    return list(argument)


operations = st.one_of(
    st.tuples(
        st.sampled_from(
            [
                "get_data",
                "freeze",
                "make_sequence",
                "calculate_content_length",
                "add_etag",
                "stream",
                "ensure mutable",
                "_on_close",
                "read",
                "force_type",
                "close",
                "append item",
            ]
        ),
        st.none(),
    ),
    st.tuples(st.just("call_on_close"), st.sampled_from(["first", "second"])),
    st.tuples(st.just("status_code ="), statuses),
    st.tuples(st.just("status ="), statuses),
    st.tuples(st.just("_status ="), st.sampled_from(["299 Odd"])),
    st.tuples(st.just("_status_code ="), st.sampled_from([204, 200, 304])),
    st.tuples(st.just("data ="), text | data),
    st.tuples(st.just("response ="), items.map(list)),
    st.tuples(st.just("headers ="), pairs),
    st.tuples(st.just("header set"), st.tuples(names, values)),
    st.tuples(st.just("header add"), st.tuples(names, values)),
    st.tuples(st.just("header pop"), names),
    st.tuples(st.just("header tamper"), st.tuples(names, values)),
    st.tuples(st.just("set_cookie"), st.tuples(st.just("k"), text)),
    st.tuples(st.just("delete_cookie"), st.just("k")),
    st.tuples(st.just("set_etag"), text),
    st.tuples(st.just("max_age"), st.integers(0, 9)),
    st.tuples(st.just("vary"), st.sampled_from(["Cookie", "Accept"])),
    st.tuples(st.just("content_length ="), st.sampled_from([None, 0, 7])),
    st.tuples(st.just("content_type ="), content_types),
    st.tuples(st.just("mimetype ="), st.sampled_from(["text/css", "a/b"])),
    st.tuples(st.just("location ="), st.sampled_from(["/next", "/ü", "http://x/"])),
    st.tuples(st.just("direct_passthrough ="), st.booleans()),
    st.tuples(st.just("automatically_set_content_length ="), st.booleans()),
    st.tuples(st.just("autocorrect_location_header ="), st.booleans()),
    st.tuples(st.just("implicit_sequence_conversion ="), st.booleans()),
    st.tuples(st.just("make_conditional"), st.booleans()),
)


def operate(side: Side, response: Any, name: str, argument: Any) -> Any:
    """Do one thing to *response*; what is returned is compared."""
    if isinstance(argument, list):
        argument = list(argument)
    if name.endswith(" =") and name != "headers =":
        setattr(response, name.removesuffix(" ="), argument)
        return response.status, list(response.headers)
    match name:
        case "headers =":
            response.headers = Headers(argument)
        case "header set":
            response.headers[argument[0]] = argument[1]
        case "header add":
            response.headers.add(*argument)
        case "header pop":
            return response.headers.pop(argument, None)
        case "header tamper":
            response.headers._list.append(tuple(argument))
        case "set_cookie":
            response.set_cookie(*argument)
        case "max_age":
            response.cache_control.max_age = argument
        case "vary":
            response.vary.add(argument)
        case "stream":
            return response.stream.write(b"written")
        case "ensure mutable":
            response._ensure_sequence(mutable=True)
        case "append item":
            response.response.append(b"appended")
        case "_on_close":
            response._on_close.append(lambda: side.log.append("appended"))
        case "read":
            return (
                response.is_sequence,
                response.is_streamed,
                response.is_json,
                response.mimetype,
                response.mimetype_params,
                response.content_length,
                response.status,
                response.status_code,
                response.default_mimetype,
                response.direct_passthrough,
                len(response._on_close),
                list(response.headers),
            )
        case "force_type":
            return side.cls.force_type(response) is response
        case "call_on_close":
            response.call_on_close(lambda: side.log.append(argument))
        case "make_conditional":
            response.headers["Date"] = "Mon, 01 Jan 2024 00:00:00 GMT"
            environ = make_environ("GET")
            if argument:
                environ["HTTP_RANGE"] = "bytes=1-2"
            response.make_conditional(environ, accept_ranges=argument)
        case "delete_cookie" | "set_etag":
            getattr(response, name)(argument)
        case _:
            return getattr(response, name)()
    return None


def make_environ(method: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": method,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_HOST": "example.org",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/here/page",
        "QUERY_STRING": "",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
    }


class Outcome(Exception):
    """Ends a run early with what was raised."""


def attempt(seen: list[Any], what: str, func: Any, *args: Any) -> Any:
    try:
        result = func(*args)
    except Exception as error:
        # TypeErrors are worded by us, or name the class.
        message = None if isinstance(error, TypeError) else str(error)
        seen.append((what, type(error), message))
        raise Outcome from error
    return result


def run(side: Side, make: Any, steps: Any, method: str, take: int, closes: int) -> Any:
    """All that a server, a hook and the close functions can see of one response."""
    seen: list[Any] = []
    side.cls.closed = 0
    environ = make_environ(method)
    try:
        response = attempt(seen, "make", make, side, environ)
        for name, argument in steps:
            seen.append(
                (name, attempt(seen, name, operate, side, response, name, argument))
            )
        started: list[Any] = []

        def start_response(status: str, headers: list[Any]) -> None:
            started.append((status, headers, type(headers)))

        body = attempt(seen, "call", side.call, response, environ, start_response)
        seen.append(started)
        if response.direct_passthrough and method != "HEAD":
            seen.append(type(body) if isinstance(body, (list, tuple)) else None)
        iterator = attempt(seen, "iter", iter, body)
        for _ in range(take):
            seen.append(attempt(seen, "next", next, iterator, "end"))
        for _ in range(closes):
            if hasattr(body, "close"):
                attempt(seen, "close", body.close)
        seen.append(attempt(seen, "next", next, iterator, "end") if take > 5 else "")
        seen.append(attempt(seen, "read", operate, side, response, "read", None))
    except Outcome:
        pass
    return seen, list(side.log), side.cls.closed


def compare(classes: Any, make: Any, steps: Any, *how: Any) -> None:
    ours, theirs = classes
    app = OurApp()
    app.response_class = ours
    for cls in classes:
        cls.closed = 0

    class Context:
        endpoint = "view"
        # A status with a line end is refused elsewhere, as Flask does not.
        hosted = True

    def convert_ours(rv: Any, environ: Any) -> Any:
        ctx = Context()
        ctx.environ = environ  # type: ignore[attr-defined]
        return make_response(app, app.response_class, rv, ctx)

    def convert_theirs(rv: Any, environ: Any) -> Any:
        flask_app.response_class = theirs
        with flask_app.request_context(environ):
            return flask_app.make_response(rv)

    here = run(Side(ours, convert_ours, send), make, steps, *how)
    there = run(
        Side(theirs, convert_theirs, lambda r, e, s: r(e, s)), make, steps, *how
    )
    assert here == there


hows = (
    st.sampled_from(["GET", "GET", "POST", "HEAD"]),
    st.sampled_from([0, 1, 9]),
    st.integers(0, 2),
)


@given(
    classes=st.sampled_from(CLASSES),
    body=bodies,
    status=statuses,
    headers=header_arguments,
    mimetype=content_types,
    content_type=content_types,
    passthrough=st.sampled_from([False, False, False, True]),
    steps=st.lists(operations, max_size=4),
    method=hows[0],
    take=hows[1],
    closes=hows[2],
)
def test_constructed_response_is_sent_as_flask_sends_it(
    classes: Any,
    body: Any,
    status: Any,
    headers: Any,
    mimetype: Any,
    content_type: Any,
    passthrough: bool,
    steps: Any,
    method: str,
    take: int,
    closes: int,
) -> None:
    def make(side: Side, environ: Any) -> Any:
        return side.cls(
            make_body(*body, side.log),
            status,
            make_headers(*headers),
            mimetype,
            content_type,
            passthrough,
        )

    compare(classes, make, steps, method, take, closes)


class Foreign(WerkzeugResponse):
    pass


def application(environ: Any, start_response: Any) -> Any:
    start_response("202 Taken", [("X-App", environ["PATH_INFO"])])
    return [b"from", b" app"]


def written(environ: Any, start_response: Any) -> Any:
    write = start_response("200 OK", [("Content-Type", "a/b")])
    write(b"written")
    return []


def broken(environ: Any, start_response: Any) -> Any:
    raise TypeError("broken")


class OddNotFound(exceptions.NotFound):
    description = "<odd>\nlines"


class OddBody(exceptions.NotFound):
    def get_body(self, environ: Any = None, scope: Any = None) -> str:
        return "odd body"


def instance_body() -> Exception:
    error = exceptions.NotFound()
    error.get_body = lambda *args: "instance body"  # type: ignore[method-assign]
    return error


def no_code() -> Exception:
    return exceptions.HTTPException("no code")


RETURNED: list[Any] = [
    lambda side: {"a": 1, "b": [1, 2]},
    lambda side: [1, {"b": 2, "a": 1}],
    lambda side: {"b": object()},
    lambda side: side.cls("own", 404, {"X-A": "1"}),
    lambda side: side.cls(generate(side.log, ["a", b"b"])),
    lambda side: Foreign("foreign", 404, {"X-A": "1"}),
    lambda side: WerkzeugResponse(generate(side.log, ["a", b"b"])),
    lambda side: application,
    lambda side: written,
    lambda side: broken,
    lambda side: exceptions.NotFound(),
    lambda side: exceptions.NotFound("with <text>"),
    lambda side: exceptions.NotFound(response=WerkzeugResponse("given")),
    lambda side: exceptions.InternalServerError(original_exception=ValueError()),
    lambda side: exceptions.MethodNotAllowed(["GET", "PUT"]),
    lambda side: exceptions.BadRequestKeyError("key"),
    lambda side: exceptions.RequestedRangeNotSatisfiable(5),
    lambda side: exceptions.Unauthorized(),
    lambda side: OddNotFound(),
    lambda side: OddBody(),
    lambda side: instance_body(),
    lambda side: no_code(),
    lambda side: int,
    lambda side: object(),
    lambda side: 3,
]


def make_returned(returned: Any, side: Side) -> Any:
    if isinstance(returned, tuple):
        return make_body(*returned, side.log)
    return RETURNED[returned](side)


@given(
    classes=st.sampled_from(CLASSES),
    returned=bodies | st.integers(0, len(RETURNED) - 1),
    shape=st.sampled_from(["body"] * 3 + ["status", "headers", "both", "one", "four"]),
    status=statuses,
    headers=header_arguments,
    steps=st.lists(operations, max_size=3),
    method=hows[0],
    take=hows[1],
    closes=hows[2],
)
def test_c45_return_value_is_sent_as_flask_sends_it(
    classes: Any,
    returned: Any,
    shape: str,
    status: Any,
    headers: Any,
    steps: Any,
    method: str,
    take: int,
    closes: int,
) -> None:
    def make(side: Side, environ: Any) -> Any:
        body = make_returned(returned, side)
        rv = {
            "body": body,
            "status": (body, status),
            "headers": (body, make_headers(*headers)),
            "both": (body, status, make_headers(*headers)),
            "one": (body,),
            "four": (body, 1, 2, 3),
        }[shape]
        return side.convert(rv, environ)

    compare(classes, make, steps, method, take, closes)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("index", range(len(RETURNED)))
@pytest.mark.parametrize("classes", CLASSES, ids=lambda classes: classes[0].__name__)
def test_c45_each_kind_of_return_value(classes: Any, index: int, method: str) -> None:
    def make(side: Side, environ: Any) -> Any:
        return side.convert(make_returned(index, side), environ)

    compare(classes, make, [], method, 9, 1)
    compare(classes, make, [("read", None), ("get_data", None)], method, 9, 1)
