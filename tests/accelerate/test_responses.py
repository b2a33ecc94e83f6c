"""Responses that views make themselves: byte for byte those of plain Flask.

Every program runs on plain and on accelerated Flask, and what the server got, chunk by
chunk, has to be the same, as has what the program could see of its response.
"""

from __future__ import annotations

import copy
import gc
import http
import io
import json
import logging
import pickle
import sysconfig
import typing as t
import weakref
from collections.abc import Callable
from collections.abc import Iterator

import flask
import pytest
import werkzeug.sansio.response
import werkzeug.wrappers
from flask.ctx import AppContext
from flask.sessions import SecureCookieSessionInterface
from tests.accelerate.conftest import ACCELERATED
from tests.accelerate.conftest import PLAIN
from tests.conformance.subjects import FLASK32
from tests.conformance.support import environ
from tests.conformance.support import Server
from werkzeug.datastructures import Headers
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import NotFound
from werkzeug.wsgi import FileWrapper

import fastdispatch
from fastdispatch.engine import compiled
from fastdispatch.engine import plain as engine_plain

Response = flask.Response
Make = Callable[[], t.Any]


class Sub(Response):
    """Does all as Flask's class does."""


class Typed(Response):
    default_mimetype = "application/json"
    default_status = 203


class Loud(Response):
    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(*args, **kwargs)
        self.headers["X-Loud"] = "1"


class Called(Response):
    def __call__(self, environ: t.Any, start_response: t.Any) -> t.Any:
        self.headers["X-Called"] = "1"
        return super().__call__(environ, start_response)


class Sequenced(Response):
    is_sequence = False  # type: ignore[assignment]


class Unmeasured(Response):
    automatically_set_content_length = False


class Located(Response):
    autocorrect_location_header = True


class Text(str):
    pass


class Octets(bytes):
    pass


class Status(int):
    pass


class Many(list[t.Any]):
    pass


class Closing:
    """An iterable that tells when it is closed."""

    def __init__(self, *chunks: t.Any) -> None:
        self.chunks = chunks
        self.closed = 0

    def __iter__(self) -> Iterator[t.Any]:
        return iter(self.chunks)

    def close(self) -> None:
        self.closed += 1


def chunks() -> Iterator[bytes]:
    yield b"one"
    yield b""
    yield b"two"


def words() -> Iterator[str]:
    yield "grün"
    yield Text("blau")


def cookie() -> Response:
    response = Response("cookie")
    response.set_cookie("a", "b", expires=0, httponly=True)
    response.set_cookie("c", "d")
    return response


def frozen() -> Response:
    response = Response(["a", b"b"])
    response.freeze()
    return response


def replaced() -> Response:
    response = Response("gone")
    response.response = words()
    return response


def with_header(name: str, value: str, **kwargs: t.Any) -> Response:
    response = Response("x", **kwargs)
    response.headers[name] = value
    return response


def shadowed(name: str, value: t.Any) -> Response:
    response = Response("shadowed")
    setattr(response, name, value)
    return response


def without(name: str) -> Response:
    response = Response("less")
    delattr(response, name)
    return response


def odd_list() -> Response:
    response = Response("odd")
    response.headers._list.append(("X-Odd", 3))  # type: ignore[arg-type]
    return response


def split() -> Response:
    response = Response("split")
    response.headers._list.append(("X-Odd", "a\r\nSet-Cookie: b=c"))
    return response


def streaming() -> Response:
    response = Response()
    response.stream.write(b"written")
    return response


def ranged() -> Response:
    response = Response(b"0123456789")
    response.date = 0  # type: ignore[assignment] # not that of the moment
    response.make_conditional(
        flask.request.environ, accept_ranges=True, complete_length=10
    )
    return response


def etagged() -> Response:
    response = Response("etag")
    response.add_etag()
    response.date = response.last_modified = 0  # type: ignore[assignment]
    return response.make_conditional(flask.request)


def passed(*given: t.Any) -> Response:
    return Response(Closing(*given), direct_passthrough=True)


class OtherHeaders(Headers):
    pass


SHARED = [("X-A", "1"), ("X-A", "2")]
MAKERS: dict[str, Make] = {
    "nothing": lambda: Response(),
    "str": lambda: Response("grün"),
    "bytes": lambda: Response(b"\xff\0"),
    "bytearray": lambda: Response(bytearray(b"ab")),
    "str subclass": lambda: Response(Text("text")),
    "bytes subclass": lambda: Response(Octets(b"octets")),
    "empty": lambda: Response(""),
    "long": lambda: Response("x" * 70_000),
    "list": lambda: Response(["a", b"b", Text("c")]),
    "list subclass": lambda: Response(Many(["a", "b"])),
    "tuple": lambda: Response(("ü", b"b")),
    "empty list": lambda: Response([]),
    "list of int": lambda: Response([1, 2]),  # type: ignore[list-item]
    "int": lambda: Response(3),  # type: ignore[arg-type]
    "memoryview": lambda: Response(memoryview(b"ab")),  # type: ignore[arg-type]
    "memoryviews": lambda: Response([memoryview(b"ab")]),  # type: ignore[list-item]
    "dict": lambda: Response({"a": 1, "b": 2}),
    "generator": lambda: Response(chunks()),
    "str generator": lambda: Response(words(), mimetype="text/plain"),
    "closing": lambda: Response(Closing("a", b"b")),
    "file": lambda: Response(io.BytesIO(b"line\nline\n")),
    "wrapped file": lambda: Response(
        FileWrapper(io.BytesIO(b"file"), 2), direct_passthrough=True
    ),
    "passed": lambda: passed(b"a", b"b"),
    "passed list": lambda: Response([b"a"], direct_passthrough=True),
    "passed str": lambda: Response(b"a", direct_passthrough=True),
    "truthy passthrough": lambda: Response([b"a"], direct_passthrough=1),  # type: ignore[arg-type]
    "falsy passthrough": lambda: Response([b"a"], direct_passthrough=None),  # type: ignore[arg-type]
    "status": lambda: Response("x", 201),
    "enum status": lambda: Response("x", http.HTTPStatus.CREATED),
    "int subclass status": lambda: Response("x", Status(202)),
    "bool status": lambda: Response("x", True),
    "str status": lambda: Response("x", "418 Short And Stout"),
    "str code": lambda: Response("x", "404"),
    "message status": lambda: Response("x", "Message"),
    "empty status": lambda: Response("x", ""),
    "unknown status": lambda: Response("x", 299),
    "large status": lambda: Response("x", 1000),
    "negative status": lambda: Response("x", -1),
    "float status": lambda: Response("x", 200.0),  # type: ignore[arg-type]
    "zero status": lambda: Response("x", 0),
    "100": lambda: Response("x", 100),
    "204": lambda: Response("body", 204),
    "204 generator": lambda: Response(Closing(b"body"), 204),
    "304": lambda: Response("body", 304, {"Content-Language": "de", "ETag": '"x"'}),
    "206": lambda: Response("body", 206),
    "dict headers": lambda: Response("x", headers={"X-A": "1", "x-b": "ü"}),
    "list headers": lambda: Response("x", headers=SHARED),
    "list in dict": lambda: Response("x", headers={"X-A": ["1", "2"]}),
    "tuple headers": lambda: Response("x", headers=(("X-A", "1"),)),
    "Headers": lambda: Response("x", headers=Headers([("x-a", "1")])),
    "OtherHeaders": lambda: Response("x", headers=OtherHeaders([("x-a", "1")])),
    "multidict": lambda: Response("x", headers=ImmutableMultiDict([("x-a", "1")])),
    "int header": lambda: Response("x", headers={"X-A": 3}),  # type: ignore[dict-item]
    "newline header": lambda: Response("x", headers={"X-A": "1\n2"}),
    "type in headers": lambda: Response("x", headers={"content-type": "a/b"}),
    "type twice": lambda: Response(
        "x", headers={"content-type": "a/b"}, mimetype="text/xml"
    ),
    "length in headers": lambda: Response("xyz", headers={"content-length": "1"}),
    "length, streamed": lambda: Response(chunks(), headers={"Content-Length": "6"}),
    "length, list": lambda: Response(["a"], headers={"Content-Length": "9"}),
    "mimetype": lambda: Response("x", mimetype="application/xml"),
    "odd mimetype": lambda: Response("x", mimetype="application/x; a=b"),
    "newline mimetype": lambda: Response("x", mimetype="a/b\nc"),
    "int mimetype": lambda: Response("x", mimetype=3),  # type: ignore[arg-type]
    "empty mimetype": lambda: Response("x", mimetype=""),
    "content_type": lambda: Response("x", content_type="a/b; charset=x"),
    "newline type": lambda: Response("x", content_type="a/b\r\nX: y"),
    "both types": lambda: Response("x", mimetype="a/b", content_type="c/d"),
    "seven": lambda: Response("x", 200, None, None, None, False, 7),  # type: ignore[call-arg]
    "unknown": lambda: Response("x", stauts=200),  # type: ignore[call-arg]
    "twice": lambda: Response("x", **{"response": "y"}),  # type: ignore[arg-type]
    "all named": lambda: Response(
        response="x",
        status=200,
        headers=None,
        mimetype=None,
        content_type="a/b",
        direct_passthrough=False,
    ),
    "all given": lambda: Response("x", 201, {"a": "b"}, "a/b", None, False),
    "built name": lambda: Response(**{"".join(["sta", "tus"]): 201}),
    "Sub": lambda: Sub("sub"),
    "Sub generator": lambda: Sub(chunks()),
    "Typed": lambda: Typed("typed"),
    "Loud": lambda: Loud("loud"),
    "Called": lambda: Called("called"),
    "Sequenced": lambda: Sequenced(["a"]),
    "Unmeasured": lambda: Unmeasured(["a"]),
    "Werkzeug's": lambda: werkzeug.wrappers.Response("plain"),
    "cookies": cookie,
    "frozen": frozen,
    "replaced": replaced,
    "streaming": streaming,
    "ranged": ranged,
    "etagged": etagged,
    "location": lambda: with_header("Location", "/ä b"),
    "absolute": lambda: with_header("location", "http://x/ü"),
    "content location": lambda: with_header("Content-Location", "/ü"),
    "redirect": lambda: flask.redirect("/there?q=ü"),
    "Located": lambda: Located("x", headers={"Location": "there"}),
    "own get_app_iter": lambda: shadowed("get_app_iter", lambda environ: [b"own"]),
    "own iter_encoded": lambda: shadowed("iter_encoded", lambda: iter([b"own"])),
    "own get_wsgi_headers": lambda: shadowed(
        "get_wsgi_headers", lambda environ: Headers({"X-Own": "1"})
    ),
    "own get_wsgi_response": lambda: shadowed(
        "get_wsgi_response", lambda environ: ([b"own"], "200 OWN", Headers())
    ),
    "own close": lambda: shadowed("close", lambda: None),
    "own measuring": lambda: shadowed("automatically_set_content_length", False),
    "own attribute": lambda: shadowed("note", "kept"),
    "own _status": lambda: shadowed("_status", "250 MADE"),
    "own _status_code": lambda: shadowed("_status_code", 204),
    "own status": lambda: shadowed("status", 404),
    "str body": lambda: shadowed("response", "characters"),
    "None body": lambda: shadowed("response", None),
    "own headers": lambda: shadowed("headers", OtherHeaders({"X-Own": "1"})),
    "dict for headers": lambda: shadowed("headers", {"X-Own": "1"}),
    "no response": lambda: without("response"),
    "no headers": lambda: without("headers"),
    "no _on_close": lambda: without("_on_close"),
    "no direct_passthrough": lambda: without("direct_passthrough"),
    "no _status": lambda: without("_status"),
    "odd list": odd_list,
    "split": split,
    "jsonify": lambda: flask.jsonify(b=1, a=[None, "ü"]),
    "send_file": lambda: flask.send_file(
        io.BytesIO(b"sent"), download_name="a.txt", etag=False, conditional=False
    ),
    "made of str": lambda: flask.make_response("made", 201, {"X-A": "1"}),
    "made of Response": lambda: flask.make_response((Response("made"), 202)),
    "tuple rv": lambda: (Response("made"), 203, {"X-A": "1"}),
    "abort": lambda: flask.abort(Response("aborted", 401)),
    "exception": lambda: NotFound("gone"),
    "WSGI": lambda: lambda environ, start: (start("299 W", []), [b"wsgi"])[1],
}


def describe(value: t.Any) -> t.Any:
    """What a program can see of a response."""
    if not isinstance(value, werkzeug.wrappers.Response):
        return type(value).__name__
    seen: list[t.Any] = [type(value).__name__, isinstance(value, Response)]
    for name in ("headers", "status", "status_code", "mimetype", "is_streamed"):
        try:
            got = getattr(value, name)
            seen.append([type(got).__name__, list(got) if name == "headers" else got])
        except Exception as e:
            seen.append(repr(e))
    if type(value) is Response:
        seen.append([(k, type(v).__name__) for k, v in vars(value).items()])
    return seen


class Logged(logging.Handler):
    def __init__(self, trace: list[t.Any]) -> None:
        super().__init__()
        self.trace = trace

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.trace.append((record.getMessage(), record.funcName, repr(error)))


def run(
    host: t.Any,
    view: Make,
    method: str = "GET",
    after: Callable[[t.Any], t.Any] | None = None,
    prepare: Callable[[flask.Flask], object] = lambda app: None,
    requests: int = 2,
    **kwargs: t.Any,
) -> list[t.Any]:
    """All there is to see of some requests that *view* answers."""
    app = flask.Flask("responses", static_folder=None)
    trace: list[t.Any] = []

    def called() -> t.Any:
        made = view()
        trace.append(("made", describe(made)))
        return made

    app.add_url_rule("/", view_func=called, methods=["GET", "POST"])
    if after is not None:
        app.after_request(after)
    app.teardown_request(lambda e: trace.append(("teardown", repr(e))))
    app.logger.handlers[:] = [Logged(trace)]
    app.logger.propagate = False
    prepare(app)
    host(app)
    for _ in range(requests):
        try:
            server = Server(app, environ("/", method, **kwargs))
            trace.append(server.started)
            trace.append([type(chunk) and chunk for chunk in server.iterable])
        except Exception as e:
            trace.append(repr(e))
            continue
        trace.append("sent")
        closing = getattr(server.iterable, "close", None)
        for _ in range(2):
            try:
                if closing is not None:
                    closing()
                trace.append("closed")
            except AttributeError as e:
                trace.append(repr(e))
    return trace


def same(view: Make, *args: t.Any, **kwargs: t.Any) -> list[t.Any]:
    plain = run(PLAIN, view, *args, **kwargs)
    assert run(ACCELERATED, view, *args, **kwargs) == plain
    return plain


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("name", MAKERS)
def test_what_a_view_makes_is_sent_as_flask_sends_it(name: str, method: str) -> None:
    same(MAKERS[name], method)


@pytest.mark.parametrize("name", MAKERS)
def test_a_condition_or_a_range_is_met_as_in_flask(name: str) -> None:
    same(
        MAKERS[name],
        headers={"Range": "bytes=2-4", "If-Modified-Since": "Thu, 01 Jan 2099 0:0:0"},
    )


@pytest.mark.parametrize("name", MAKERS)
def test_what_after_request_does_to_it_counts(name: str) -> None:
    def after(response: t.Any) -> t.Any:
        response.headers["X-After"] = "1"
        response.headers.add("x-after", "2")
        response.set_cookie("after", "1")
        response.call_on_close(lambda: closed.append(1))
        return response

    closed: list[int] = []
    same(MAKERS[name], after=after)


@pytest.mark.parametrize(
    "name",
    [name for name in MAKERS if name not in ("memoryview", "streaming", "Loud")],
)
def test_it_is_made_as_it_is_outside_of_requests(name: str) -> None:
    """Two ways to the same object: of Werkzeug's code, and of the engine's."""
    app = flask.Flask("made", static_folder=None)
    made: list[t.Any] = []

    @app.route("/")
    def index() -> str:
        made.append(described(MAKERS[name]))
        return ""

    def described(make: Make) -> t.Any:
        try:
            return describe(make())
        except Exception as e:
            return repr(e)

    with app.test_request_context():
        made.append(described(MAKERS[name]))
    fastdispatch.accelerate(app)
    app.test_client().get("/")
    if name not in ("ranged", "etagged", "Located", "jsonify"):
        assert made[0] == made[1]


PATCHES: dict[str, tuple[type, str, t.Any]] = {
    "__call__": (
        Response,
        "__call__",
        lambda self, environ, start: (start("298 P", []), [b"patched"])[1],
    ),
    "get_wsgi_headers": (
        werkzeug.wrappers.Response,
        "get_wsgi_headers",
        lambda self, environ: Headers({"X-Patched": "1"}),
    ),
    "get_app_iter": (
        Response,
        "get_app_iter",
        lambda self, environ: [b"patched"],
    ),
    "iter_encoded": (Response, "iter_encoded", lambda self: iter([b"patched"])),
    "close": (Response, "close", lambda self: None),
    "status": (Response, "status", property(lambda self: "297 P", lambda *a: None)),
    "is_sequence": (werkzeug.wrappers.Response, "is_sequence", False),
    "headers": (Response, "headers", property(lambda self: Headers({"X": "p"}))),
    "set_data": (
        Response,
        "set_data",
        lambda self, value: setattr(self, "response", [b"patched"]),
    ),
    "default_status": (Response, "default_status", 296),
    "default_mimetype": (Response, "default_mimetype", "text/patched"),
    "_clean_status": (
        werkzeug.sansio.response.Response,
        "_clean_status",
        lambda self, value: ("295 P", 295),
    ),
    "__setattr__": (
        Response,
        "__setattr__",
        lambda self, name, value: object.__setattr__(
            self, name, [b"set"] if name == "response" else value
        ),
    ),
    "__getattribute__": (
        Response,
        "__getattribute__",
        lambda self, name: (
            [b"got"] if name == "response" else object.__getattribute__(self, name)
        ),
    ),
    "measuring": (Response, "automatically_set_content_length", False),
    "to_wsgi_list": (Headers, "to_wsgi_list", lambda self: [("X-Patched", "1")]),
    "Headers.__init__": (
        Headers,
        "__init__",
        lambda self, defaults=None: setattr(self, "_list", [("X-Patched", "1")]),
    ),
}


def _init(self: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
    _werkzeug_init(self, *args, **kwargs)
    self.headers["X-Init"] = "1"


def _sansio_init(self: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
    _natural_sansio_init(self, *args, **kwargs)
    self.headers["X-Init"] = "1"


_werkzeug_init: t.Any = werkzeug.wrappers.Response.__init__
_natural_sansio_init: t.Any = werkzeug.sansio.response.Response.__init__
PATCHES["__init__"] = (Response, "__init__", _init)
PATCHES["Werkzeug's __init__"] = (werkzeug.wrappers.Response, "__init__", _init)
PATCHES["sansio's __init__"] = (
    werkzeug.sansio.response.Response,
    "__init__",
    _sansio_init,
)


@pytest.mark.parametrize("when", ["before", "late", "during"])
@pytest.mark.parametrize("name", PATCHES)
def test_what_is_patched_is_called_at_once(
    name: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it is accelerated, between two requests, or in the midst of one."""
    cls, attribute, value = PATCHES[name]

    def scenario(host: t.Any) -> list[t.Any]:
        app = flask.Flask("patched", static_folder=None)
        outcomes: list[t.Any] = []
        patching = [when == "during"]

        def patch() -> None:
            monkeypatch.setattr(cls, attribute, value, raising=False)

        @app.route("/")
        def index() -> t.Any:
            if patching[-1] and len(outcomes) == 3:
                patch()
            return app.response_class(["a", "b"], mimetype="text/x")

        @app.route("/str")
        def text() -> t.Any:
            return Response("text")

        def get() -> None:
            for path in ("/", "/str"):
                try:
                    server = Server(app, environ(path))
                    body = list(server.iterable)
                    server.close()
                    outcomes.append((server.started, body))
                except Exception as e:
                    outcomes.append(repr(e))
            outcomes.append("")

        if when == "before":
            patch()
        host(app)
        get()
        if when == "late":
            patch()
        get()
        get()
        monkeypatch.undo()
        get()
        get()
        return outcomes

    plain = scenario(PLAIN)
    assert plain[-2:] == plain[-5:-3]
    assert scenario(ACCELERATED) == plain
    if name not in ("close", "measuring"):
        assert plain[3:5] != plain[-3:-1] or plain[6:8] != plain[-3:-1], "no patch"


def test_the_class_is_the_one_it_was() -> None:
    app = fastdispatch.accelerate(flask.Flask("same", static_folder=None))
    seen: list[t.Any] = []

    @app.route("/")
    def index() -> t.Any:
        made = app.response_class("x", 201, {"X-A": "1"})
        seen.append(made)
        return made

    assert app.test_client().get("/").status_code == 201
    made = seen[0]
    assert app.response_class is Response
    assert type(made) is Response
    assert Response.__init__ is werkzeug.wrappers.Response.__init__
    assert "__init__" not in vars(Response)
    with app.app_context():
        by_werkzeug = Response("x", 201, {"X-A": "1"})
    assert list(vars(made)) == list(vars(by_werkzeug))
    for again in (pickle.loads(pickle.dumps(made)), copy.copy(made)):
        assert type(again) is Response
        assert vars(again) == vars(made) == vars(by_werkzeug)


def test_a_list_of_headers_is_not_shared_with_the_program() -> None:
    given = [("X-A", "1")]

    def view() -> Response:
        response = Response("x", headers=given)
        response.headers["X-B"] = "2"
        return response

    same(view)
    assert given == [("X-A", "1")]


def test_who_is_asked_to_be_told_of_the_end_is_told() -> None:
    told: list[str] = []

    def view() -> Response:
        response = Response("x")
        flask.g.response = response
        response.call_on_close(lambda: told.append("view"))
        return response

    def prepare(app: flask.Flask) -> None:
        @app.teardown_request
        def teardown(e: BaseException | None) -> None:
            flask.g.response.call_on_close(lambda: told.append("teardown"))

    for host in (PLAIN, ACCELERATED):
        told.clear()
        run(host, view, prepare=prepare, requests=1)
        assert told == ["view", "teardown", "view", "teardown"]


def _call_on_close(response: t.Any, told: list[str]) -> None:
    response.call_on_close(lambda: told.append("closed"))


# What a view keeps of a response that has nothing to close, and what a teardown
# function makes of that.
KEPT: dict[
    str, tuple[Callable[[Response], t.Any], Callable[[t.Any, list[str]], object]]
] = {
    "nothing": (lambda response: None, lambda kept, told: None),
    "the response": (lambda response: response, _call_on_close),
    "a method": (
        lambda response: response.call_on_close,
        lambda kept, told: kept(lambda: told.append("closed")),
    ),
    "a weak reference": (
        weakref.ref,
        lambda kept, told: _call_on_close(kept(), told),
    ),
    "the functions": (
        lambda response: response._on_close,
        lambda kept, told: kept.append(lambda: told.append("closed")),
    ),
    "the attributes": (
        vars,
        lambda kept, told: kept["_on_close"].append(lambda: told.append("closed")),
    ),
    "the body": (
        lambda response: response.response,
        lambda kept, told: kept.append(b"more"),
    ),
}


@pytest.mark.parametrize("name", list(KEPT))
@pytest.mark.parametrize("late", [False, True], ids=["view", "after_request"])
def test_whoever_kept_a_response_may_change_it_until_it_is_read(
    name: str, late: bool
) -> None:
    keep, change = KEPT[name]
    told: list[str] = []

    def after(response: Response) -> Response:
        flask.g.kept = keep(response)
        return response

    def view() -> t.Any:
        return "x" if late else after(Response("x"))

    def prepare(app: flask.Flask) -> None:
        if late:
            app.after_request(after)

        @app.teardown_request
        def teardown(e: BaseException | None) -> None:
            change(flask.g.kept, told)

    def outcome(host: t.Any) -> t.Any:
        told.clear()
        return run(host, view, prepare=prepare, requests=2), told.copy()

    plain = outcome(PLAIN)
    assert outcome(ACCELERATED) == plain
    if name == "the body":
        assert [b"x", b"more"] in plain[0]
    else:
        assert plain[1] == ([] if name == "nothing" else ["closed"] * 4)


@pytest.mark.skipif(
    not compiled or bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    reason="neither the pure build nor a free-threaded one can tell who has an object",
)
def test_what_nobody_kept_is_sent_without_an_iterator_of_its_own() -> None:
    app = fastdispatch.accelerate(flask.Flask("list", static_folder=None))
    app.add_url_rule("/", "made", lambda: Response("x"))
    app.add_url_rule("/text", "text", lambda: "x")
    app.after_request(lambda response: response)
    for path in ("/", "/text"):
        assert Server(app, environ(path)).iterable == [b"x"]


def test_a_response_with_a_finalizer_lives_until_it_is_closed() -> None:
    def alive(host: t.Any) -> list[int]:
        ends: list[int] = []

        class Final(Response):
            def __del__(self) -> None:
                ends.append(1)

        app = flask.Flask("final", static_folder=None)
        app.add_url_rule("/", view_func=lambda: Final("x"))
        host(app)
        counts = []
        for _ in range(3):
            iterable = app(environ("/"), lambda *args: lambda data: None)
            counts.append(len(ends))
            assert b"".join(iterable) == b"x"
            iterable.close()
            del iterable
            gc.collect()
        return counts

    assert alive(PLAIN) == alive(ACCELERATED) == [0, 1, 2]


def test_the_iterable_is_closed_once_for_each_close() -> None:
    made: list[Closing] = []

    def view() -> Response:
        made.append(Closing("a", "b"))
        return Response(made[-1])

    same(view)
    assert [m.closed for m in made] == [2, 2, 2, 2]


def test_an_iterable_that_raises_is_left_to_the_server() -> None:
    def broken() -> Iterator[str]:
        yield "a"
        raise ValueError("broken")

    trace = same(lambda: Response(broken()))
    assert "ValueError('broken')" in trace


def test_a_response_is_sent_twice() -> None:
    kept: list[Response] = []

    def view() -> Response:
        if not kept:
            kept.append(Response(["kept", b"!"], headers={"X-A": "1"}))
        return kept[0]

    for host in (PLAIN, ACCELERATED):
        kept.clear()
        first = run(host, view, requests=3)
        assert first.count([b"kept", b"!"]) == 3


@pytest.mark.parametrize("name", ["Response", "Sub", "list"])
def test_start_response_that_raises(name: str) -> None:
    def outcome(host: t.Any) -> t.Any:
        app = flask.Flask("start", static_folder=None)
        torn: list[t.Any] = []
        app.teardown_request(lambda e: torn.append(e))
        app.add_url_rule("/", view_func=MAKERS["Sub" if name == "Sub" else "list"])
        host(app)

        def start(*args: t.Any) -> t.Any:
            raise OSError("gone")

        with pytest.raises(OSError, match="gone"):
            app(environ("/"), start)
        return torn

    assert outcome(PLAIN) == outcome(ACCELERATED) == [None]


def test_an_environ_of_another_kind() -> None:
    class Environ(dict[str, t.Any]):
        pass

    for host in (PLAIN, ACCELERATED):
        app = flask.Flask("environ", static_folder=None)
        app.add_url_rule("/", view_func=MAKERS["list"])
        host(app)
        server = Server(app, Environ(environ("/")))
        assert b"".join(server.iterable) == b"abc"


@pytest.mark.parametrize("name", list(MAKERS))
def test_a_response_class_of_the_applications_own(name: str) -> None:
    def prepare(app: flask.Flask) -> None:
        app.response_class = Typed

    same(MAKERS[name], prepare=prepare)


RETURNED: dict[str, Make] = {
    "str": lambda: "text",
    "bytes": lambda: b"bytes",
    "dict": lambda: {"a": 1},
    "tuple": lambda: ("text", 201, {"X-A": "1"}),
    "generator": lambda: chunks(),
    "404": lambda: flask.abort(404),
    "error": lambda: 1 // 0,
    "Response": lambda: Response("made"),
}


class Interface(SecureCookieSessionInterface):
    def save_session(self, app: t.Any, session: t.Any, response: t.Any) -> None:
        SHOWN.append(response)


class Overriding(flask.Flask):
    if FLASK32:

        def process_response(self, ctx: AppContext, response: t.Any) -> t.Any:  # type: ignore[override]
            SHOWN.append(response)
            return super().process_response(ctx, response)  # type: ignore[call-arg]

    else:

        def process_response(self, response: t.Any) -> t.Any:
            SHOWN.append(response)
            return super().process_response(response)


SHOWN: list[t.Any] = []


@pytest.mark.parametrize("name", RETURNED)
@pytest.mark.parametrize(
    "shown_to", ["hook", "function", "receiver", "interface", "override"]
)
def test_whoever_is_shown_a_response_sees_one_of_flasks(
    shown_to: str, name: str
) -> None:
    """Not one of a subclass, and whatever is done to it counts."""

    def show(response: t.Any, **extra: t.Any) -> t.Any:
        SHOWN.append(response)
        response.headers["X-Shown"] = "1"
        return Loud.force_type(response)

    def receive(sender: t.Any, response: t.Any) -> None:
        SHOWN.append(response)
        response.call_on_close(lambda: SHOWN.append("closed"))

    def scenario(host: t.Any) -> list[t.Any]:
        SHOWN.clear()
        cls = Overriding if shown_to == "override" else flask.Flask
        app = cls("shown", static_folder=None)
        app.secret_key = "secret"
        app.logger.disabled = True

        @app.route("/")
        def index() -> t.Any:
            if shown_to == "function":
                flask.after_this_request(show)
            flask.session["a"] = 1
            return RETURNED[name]()

        if shown_to == "hook":
            app.after_request(show)
        if shown_to == "interface":
            app.session_interface = Interface()
        host(app)
        if shown_to == "receiver":
            flask.request_finished.connect(receive, app)
        server = Server(app, environ("/"))
        body = list(server.iterable)
        server.close()
        names = [item[0] for item in server.started[0][1]]
        return [server.started[0][0], names, body, *map(kind, SHOWN)]

    def kind(seen: t.Any) -> t.Any:
        return seen if isinstance(seen, str) else [type(seen), *vars(seen)]

    plain = scenario(PLAIN)
    assert scenario(ACCELERATED) == plain
    assert len(plain) > 3


def test_no_kernel_is_left_in_a_response() -> None:
    """What is sent fast is known by its class; nothing else may look like it."""
    proof = engine_plain.PlainProof(Sub)
    assert proof.sends and proof.makes
    for cls in (Called, Sequenced, Unmeasured, dict, fastdispatch.Response):
        assert not engine_plain.PlainProof(cls).sends, cls
    assert not engine_plain.PlainProof(Loud).makes


def test_json_of_a_response_is_read_back() -> None:
    def view() -> t.Any:
        made = flask.jsonify({"a": [1, "ü"]})
        assert made.get_json() == made.json == {"a": [1, "ü"]}
        made.data = json.dumps(made.get_json())
        return made

    same(view)
