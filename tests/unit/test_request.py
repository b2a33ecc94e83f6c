"""Request: Werkzeug's and Flask's, made of an environ that is read late."""

from __future__ import annotations

import copy
import pickle
import weakref
from io import BytesIO
from typing import Any

import flask
import pytest
from werkzeug.datastructures import EnvironHeaders
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import ClientDisconnected
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.formparser import FormDataParser
from werkzeug.routing import Rule
from werkzeug.test import create_environ
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request as WerkzeugRequest
from werkzeug.wrappers import Response as WerkzeugResponse

from fastdispatch import App
from fastdispatch.wrappers import Request

FORM = "application/x-www-form-urlencoded"


def test_the_constructor_reads_nothing_from_the_environ() -> None:
    environ: dict[str, Any] = {}
    request = Request(environ)
    assert environ == {"werkzeug.request": request}
    environ["PATH_INFO"] = "/late"
    assert request.path == "/late"
    environ["PATH_INFO"] = "/later"
    assert request.path == "/late"


def test_what_cannot_be_read_is_raised_by_who_reads_it_not_by_the_environ() -> None:
    request = Request({"PATH_INFO": 1, "QUERY_STRING": "a=1"})
    assert request.environ["PATH_INFO"] == 1
    request.environ["QUERY_STRING"] = "b=2"
    with pytest.raises(TypeError):
        _ = request.path
    assert request.query_string == b"a=1"


@pytest.mark.parametrize("cls", [WerkzeugRequest, Request])
def test_populates_the_environ_unless_shallow_or_told_not_to(cls: Any) -> None:
    for populate, shallow, there in (
        (True, False, True),
        (False, False, False),
        (True, True, False),
    ):
        environ = create_environ()
        request = cls(environ, populate_request=populate, shallow=shallow)
        assert (environ.get("werkzeug.request") is request) is there
        assert request.shallow is shallow


PLAIN = (
    ("method", "PATCH"),
    ("scheme", "https"),
    ("server", ("other", 1)),
    ("server", None),
    ("root_path", "/root"),
    ("path", "/set"),
    ("query_string", b"set=1"),
    ("headers", {"X": "set"}),
    ("remote_addr", "10.0.0.1"),
    ("remote_addr", None),
    ("host", "set.example"),
    ("args", {"set": "1"}),
    ("cookies", {"set": "1"}),
    ("environ", {"other": True}),
    ("shallow", True),
    ("url_rule", "rule"),
    ("view_args", {"a": 1}),
    ("routing_exception", ValueError()),
)


@pytest.mark.parametrize(("name", "value"), PLAIN)
def test_what_is_assigned_wins(name: str, value: Any) -> None:
    environ = create_environ("/path?a=1", headers={"Cookie": "a=b"})
    request = Request(environ)
    setattr(request, name, value)
    assert getattr(request, name) is value
    request = Request(environ)
    getattr(request, name)
    setattr(request, name, value)
    assert getattr(request, name) is value


def test_subclasses_override_properties_and_init_and_set_attributes() -> None:
    class Mine(Request):
        def __init__(self, environ: Any, mark: str = "mark") -> None:
            super().__init__(environ, populate_request=False)
            self.mark = mark

        @property
        def path(self) -> str:  # type: ignore[override]
            return "/mine" + super().path

    request = Mine(create_environ("/a"))
    assert (request.path, request.mark) == ("/mine/a", "mark")
    assert request.url == "http://localhost/mine/a"
    request.more = 1  # type: ignore[attr-defined]
    assert weakref.ref(request)() is request


def test_headers_are_environ_headers_of_the_environ() -> None:
    request = Request(create_environ(headers={"X-Name": "value"}))
    assert isinstance(request.headers, EnvironHeaders)
    assert request.headers is request.headers
    assert request.headers == EnvironHeaders(request.environ)
    request.environ["HTTP_X_LATE"] = "late"
    assert request.headers["x-late"] == "late"


def test_copy_and_pickle() -> None:
    environ = create_environ("/a?b=1")
    del environ["wsgi.errors"]
    request = Request(environ)
    assert request.path == "/a"
    request.mark = "mark"  # type: ignore[attr-defined]
    for twin in (copy.copy(request), pickle.loads(pickle.dumps(request))):
        assert type(twin) is Request
        assert (twin.path, twin.query_string, twin.mark) == ("/a", b"b=1", "mark")


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("PATH_INFO", "path"),
        ("SCRIPT_NAME", "root_path"),
        ("QUERY_STRING", "query_string"),
    ],
)
def test_c1_what_is_not_latin1_is_a_bad_request_at_access(key: str, name: str) -> None:
    request = Request(create_environ() | {key: "/\u20ac"})
    with pytest.raises(BadRequest) as caught:
        getattr(request, name)
    assert key in str(caught.value.description)


@pytest.mark.parametrize("name", ["args", "values", "full_path"])
def test_a_query_that_is_not_utf8_is_a_bad_request_where_flask_fails(name: str) -> None:
    environ = create_environ() | {"QUERY_STRING": "a=\xff"}
    with pytest.raises(UnicodeDecodeError):
        getattr(flask.Request(environ), name)
    with pytest.raises(BadRequest, match="UTF-8"):
        getattr(Request(environ), name)


@pytest.mark.parametrize("name", ["args", "form", "files", "cookies", "values"])
def test_what_is_parsed_is_of_the_storage_class_always(name: str) -> None:
    class Own(Request):
        parameter_storage_class = MultiDict
        dict_storage_class = MultiDict

    class Werkzeugs(Request):
        parameter_storage_class = ImmutableMultiDict
        dict_storage_class = ImmutableMultiDict

    for text in ("a=b", "a=%20", "a=%ff", 'a="b"'):
        for cls in (Request, Own, Werkzeugs):
            environ = create_environ(data=text, content_type=FORM, method="POST")
            environ |= {"QUERY_STRING": text, "HTTP_COOKIE": text}
            value = getattr(cls(environ), name)
            values = value.dicts if name == "values" else [value]
            for value in values:
                assert type(value) is cls.parameter_storage_class
                assert isinstance(value, ImmutableMultiDict) is (cls is not Own)


SUBJECTS = [(flask.Flask, flask.Request), (App, Request)]


@pytest.fixture(params=SUBJECTS, ids=["flask", "fastdispatch"])
def subject(request: pytest.FixtureRequest) -> Any:
    """An app and its request class: of Flask, of fastdispatch."""
    make_app, cls = request.param
    return make_app("app"), cls


def test_c53_limits_of_the_request_then_of_the_config(subject: Any) -> None:
    app, cls = subject
    request = cls(create_environ())
    names = ("max_content_length", "max_form_memory_size", "max_form_parts")
    assert [getattr(request, name) for name in names] == [None, 500_000, 1_000]
    with app.app_context():
        assert [getattr(request, name) for name in names] == [None, 500_000, 1_000]
        for index, name in enumerate(names):
            app.config[name.upper()] = index
        assert [getattr(request, name) for name in names] == [0, 1, 2]
        for index, name in enumerate(names):
            setattr(request, name, 10 + index)
        assert [getattr(request, name) for name in names] == [10, 11, 12]
        for name in names:
            setattr(request, name, None)
        assert [getattr(request, name) for name in names] == [0, 1, 2]


@pytest.mark.parametrize("terminated", [False, True])
def test_c53_a_body_beyond_the_limit_is_refused(subject: Any, terminated: bool) -> None:
    app, cls = subject
    app.config["MAX_CONTENT_LENGTH"] = 5
    for read in (
        lambda r: r.get_data(),
        lambda r: r.form,
        lambda r: r.get_json(force=True),
        lambda r: r.stream.read(),
    ):
        environ = create_environ(method="POST", data={"a": "123456"})
        if terminated:
            environ["wsgi.input_terminated"] = True
        request = cls(environ)
        with app.app_context():
            with pytest.raises(RequestEntityTooLarge):
                read(request)
            request.max_content_length = 8
            assert request.get_data() == b"a=123456"


def test_json_that_is_none_is_explained_in_debug_mode_only(subject: Any) -> None:
    app, cls = subject
    for debug in (False, True):
        app.debug = debug
        with app.app_context():
            environ = create_environ(data="{", content_type="application/json")
            with pytest.raises(BadRequest) as caught:
                cls(environ).get_json()
            assert ("decode JSON" in str(caught.value.description)) is debug
            with pytest.raises(UnsupportedMediaType):
                cls(create_environ(data="{}")).get_json()


def test_json_is_loaded_by_the_module_that_is_set(subject: Any) -> None:
    class Module:
        @staticmethod
        def loads(data: bytes) -> Any:
            return "loaded", data

    app, cls = subject

    class Own(cls):  # type: ignore[misc]
        json_module = Module

    environ = create_environ(data="{}", content_type="application/json")
    assert Own(environ).get_json() == ("loaded", b"{}")
    request = cls(create_environ(data="{}", content_type="application/json"))
    request.json_module = Module
    assert request.json == ("loaded", b"{}")

    app.json.loads = lambda data: "app's"
    with app.app_context():
        request = cls(create_environ(data="{}", content_type="application/json"))
        request.json_module = app.json
        assert request.get_json() == "app's"


def test_json_module_is_the_current_apps() -> None:
    app = App("app")
    request = Request(create_environ())
    assert request.json_module.loads("[1]") == [1]
    with app.app_context():
        assert request.json_module is app.json


def test_a_missing_file_is_explained_in_debug_mode_only(subject: Any) -> None:
    app, cls = subject
    for debug in (False, True):
        app.debug = debug
        with app.app_context():
            request = cls(create_environ(method="POST", data={"upload": "name.txt"}))
            with pytest.raises(KeyError) as caught:
                request.files["upload"]
            assert ("enctype" in str(caught.value)) is debug
            upload = {"f": (BytesIO(b"x"), "name.txt")}
            with cls(create_environ(method="POST", data=upload)) as request:
                with pytest.raises(KeyError) as caught:
                    request.files["upload"]
            assert "enctype" not in str(caught.value)


def test_routing_attributes(subject: Any) -> None:
    app, cls = subject
    request = cls(create_environ())
    found = (request.endpoint, request.blueprint, request.blueprints)
    assert found == (None, None, [])
    for endpoint, blueprint, blueprints in (
        ("view", None, []),
        ("a.view", "a", ["a"]),
        ("a.b.c.view", "a.b.c", ["a.b.c", "a.b", "a"]),
    ):
        request.url_rule = Rule("/", endpoint=endpoint)
        found = (request.endpoint, request.blueprint, request.blueprints)
        assert found == (endpoint, blueprint, blueprints)


def test_the_body_is_read_to_its_announced_length_and_no_further() -> None:
    for make in (WerkzeugRequest, Request):
        stream = BytesIO(b"a=1&b=2 and more")
        environ = create_environ(method="POST", content_type=FORM)
        environ.update({"CONTENT_LENGTH": "7", "wsgi.input": stream})
        request = make(environ)
        assert request.form.to_dict() == {"a": "1", "b": "2"}
        assert stream.read() == b" and more"
        assert request.stream.read() == b""
        assert request.get_data() == b""


def test_a_client_that_goes_away_is_a_client_disconnected() -> None:
    for make in (WerkzeugRequest, Request):
        for read in (lambda r: r.get_data(), lambda r: r.form, lambda r: r.data):
            environ = create_environ(method="POST", content_type=FORM)
            environ.update({"CONTENT_LENGTH": "7", "wsgi.input": BytesIO(b"a=1")})
            with pytest.raises(ClientDisconnected):
                read(make(environ))


@pytest.mark.parametrize("cls", [flask.Request, Request])
def test_a_stream_that_ended_too_early_tells_how_much_was_read(cls: Any) -> None:
    env = {"wsgi.input": BytesIO(b"short"), "CONTENT_LENGTH": "9"}
    with cls(create_environ(method="POST") | env) as request:
        with pytest.raises(ClientDisconnected):
            request.get_data()
        assert request.stream.tell() == 5


def test_close_closes_the_files() -> None:
    request = Request(create_environ(method="POST", data={"f": (BytesIO(b"x"), "n")}))
    with request:
        upload = request.files["f"].stream
        assert not upload.closed
    assert upload.closed
    Request({}).close()


def test_from_values_and_application() -> None:
    request = Request.from_values("/a?b=c")
    assert type(request) is Request
    assert request.args.to_dict() == {"b": "c"}

    @Request.application
    def app(request: Any) -> Any:
        return WerkzeugResponse(request.args["b"])

    body, status, _ = run_wsgi_app(app, create_environ("/?b=c"))
    assert (b"".join(body), status) == (b"c", "200 OK")


def test_known_header_names_do_not_grow_without_bound() -> None:
    request = Request(create_environ(headers={"X-Name": "value"}))
    for number in range(3000):
        assert request.headers.get(f"X-Unknown-{number}") is None
        assert request.headers.get("x-" + "long" * 100 + str(number)) is None
        assert request.headers["X-Name"] == "value"
        request.environ["CONTENT_TYPE"] = f"text/x-{number}"
        assert Request(request.environ).mimetype == f"text/x-{number}"


def form_environ(body: bytes = b"a=1&b=%32") -> dict[str, Any]:
    return create_environ(method="POST", content_type=FORM, data=body)


@pytest.mark.parametrize("cls", [flask.Request, Request])
def test_a_form_is_parsed_from_data_that_was_read_before(cls: Any) -> None:
    request = cls(form_environ())
    assert request.get_data() == b"a=1&b=%32"
    assert request.form.to_dict() == {"a": "1", "b": "2"}
    request = cls(form_environ())
    request._cached_data = b"other=data"
    assert request.form.to_dict() == {"other": "data"}
    request = cls(form_environ())
    assert request.stream.read(4) == b"a=1&"
    assert request.get_data(cache=False) == b"b=%32"
    request = cls(form_environ())
    assert request.stream.read(4) == b"a=1&"
    assert request.form.to_dict() == {"b": "2"}


@pytest.mark.parametrize("cls", [flask.Request, Request])
def test_methods_that_parse_a_form_can_be_replaced(cls: Any) -> None:
    def other_stream(self: Any = None) -> Any:
        return BytesIO(b"other=stream")

    class Parser(FormDataParser):
        def parse(self, *args: Any, **kwargs: Any) -> Any:
            return BytesIO(), {"other": "stream"}, {}

    def other_parser(self: Any = None) -> Any:
        return Parser()

    overrides: dict[str, Any] = {
        "_get_stream_for_parsing": other_stream,
        "make_form_data_parser": other_parser,
        "form_data_parser_class": Parser,
        "stream": property(other_stream),
    }
    for name, value in overrides.items():
        own = type("Own", (cls,), {name: value})
        assert dict(own(form_environ()).form) == {"other": "stream"}, name
        if name != "stream":
            request = cls(form_environ())
            setattr(request, name, value)
            assert dict(request.form) == {"other": "stream"}, name
    request = cls(form_environ())
    request.stream = other_stream()
    assert request.form.to_dict() == {"other": "stream"}


@pytest.mark.parametrize("cls", [flask.Request, Request])
def test_whether_a_form_is_parsed_can_be_patched(
    cls: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cls(form_environ()).want_form_data_parsed
    assert not cls(create_environ(method="POST")).want_form_data_parsed
    unwanted = property(lambda self: self.environ["PATH_INFO"] != "/")
    monkeypatch.setattr(WerkzeugRequest, "want_form_data_parsed", unwanted)
    assert not cls(form_environ()).want_form_data_parsed
    assert not cls(form_environ()).form
    monkeypatch.setattr(WerkzeugRequest, "want_form_data_parsed", True)
    assert cls(form_environ()).form.to_dict() == {"a": "1", "b": "2"}


@pytest.mark.parametrize("cls", [flask.Request, Request])
def test_a_shallow_request_reads_no_body(cls: Any) -> None:
    for name in ("stream", "data", "form", "files", "json"):
        environ = form_environ() | {"CONTENT_TYPE": "application/json"}
        with pytest.raises(RuntimeError, match="shallow"):
            getattr(cls(environ, shallow=True), name)


@pytest.mark.parametrize("cls", [flask.Request, Request])
def test_failed_json_is_kept_apart_from_silenced_json(cls: Any) -> None:
    class Answering(cls):  # type: ignore[misc]
        def on_json_loading_failed(self, e: ValueError | None) -> Any:
            return "answer"

    environ = {"content_type": "application/json", "data": b"{", "method": "POST"}
    request = Answering(create_environ(**environ))
    assert request.get_json(silent=True) is None
    assert request.get_json() == "answer"
    assert request._cached_json == ("answer", None)
    request = Answering(create_environ(**environ))
    assert request.get_json() == "answer"
    assert request._cached_json == ("answer", ...)
    assert request.get_json(silent=True) is None
    request = Answering(create_environ(**environ))
    assert request.get_json(cache=False) == "answer"
    assert request._cached_json == (..., ...)
    assert request.get_data() == b""


@pytest.mark.parametrize(
    "length",
    [None, "", "0", "3", "03", " 3", "3 ", "+3", "-3", "1_0", "\xb2", "x", "9" * 30],
)
@pytest.mark.parametrize("coding", [None, "chunked", "gzip"])
def test_odd_lengths_are_read_as_werkzeug_does(
    length: str | None, coding: str | None
) -> None:
    answers = []
    for cls in (WerkzeugRequest, Request):
        environ = create_environ(method="POST") | {"wsgi.input": BytesIO(b"12345")}
        environ |= {"CONTENT_LENGTH": length} if length is not None else {}
        environ |= {"HTTP_TRANSFER_ENCODING": coding} if coding is not None else {}
        request = cls(environ)
        answers.append([request.content_length])
        try:
            answers[-1].append(request.get_data())
        except ClientDisconnected:
            answers[-1].append("disconnected")
    assert answers[0] == answers[1]
