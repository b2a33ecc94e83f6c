"""Request against Werkzeug's and Flask's own, for whatever a server may pass."""

from __future__ import annotations

import copy
import json
import pickle
import re
from collections.abc import Callable
from contextlib import closing
from functools import partial
from io import BytesIO
from typing import Any

import flask
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import CombinedMultiDict
from werkzeug.datastructures import EnvironHeaders
from werkzeug.datastructures import Headers
from werkzeug.datastructures import ImmutableDict
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request as WerkzeugRequest

import fastdispatch
from fastdispatch.wrappers import Request

PROVIDER = fastdispatch.App("json").json

# Environs

latin1 = st.text(st.characters(max_codepoint=255), max_size=12)
QUERY_PIECES = (
    *("a", "b", "ab", "=", "=", "&", "&", "&&", ";", "+", " ", "/", "?", "#", "\0"),
    *(
        "%20",
        "%2B",
        "%26",
        "%3d",
        "%3D",
        "%00",
        "%C3%BC",
        "%c3",
        "%FF",
        "%",
        "%2",
        "%zz",
    ),
    *("\xc3\xbc", "\xc3", "\xff", "%C3\xc3", "%C3\xbc", "\t", "\n"),
)
quoted = st.lists(st.sampled_from(QUERY_PIECES), max_size=12).map("".join)
COOKIE_PIECES = (
    *("a", "b", "ab", "=", "=", ";", "; ", ";  ", " ", "\t", '"', '"v"', '"\\""', ","),
    *('"\\073"', '"\\303\\274"', "\\", "\xc3\xbc", "\xff", "\n", ":", "$Path", "%20"),
)
cookies = st.lists(st.sampled_from(COOKIE_PIECES), max_size=12).map("".join)
methods = st.sampled_from(["GET", "POST", "put", "Options", "", "\xdf", "QUERY"])
content_types = st.sampled_from(
    [
        *(
            "",
            "application/json",
            "APPLICATION/JSON",
            "application/json; charset=utf-16",
        ),
        *("application/problem+json", "application/+json", " application/json ", ";"),
        *("application/x-www-form-urlencoded", "application/x-www-form-urlencoded;a=b"),
        *(
            "Application/X-WWW-Form-Urlencoded ; charset=latin1",
            "text/json",
            "text/plain",
        ),
        *(
            "multipart/form-data",
            "multipart/form-data; boundary=b",
            "\xff/\xfe",
            "\t;a=b",
            "\xa0text/Plain\n; a=b",
        ),
    ]
)
lengths = st.sampled_from(
    [*("0", "1", "5", "007", "12345", "-1", "+5", " 5", "5 ", "1_0", "\u00b2", "", "x")]
    + ["9" * 20, "65536", "65537"]
)
MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue\r\n'
    b'--b\r\nContent-Disposition: form-data; name="f"; filename="n"\r\n\r\nfile\r\n'
    b"--b--\r\n"
)
bodies = st.one_of(
    st.binary(max_size=20),
    quoted.map(lambda text: text.encode("latin1")),
    st.sampled_from(
        [
            *(
                b"",
                b"{}",
                b'{"a": [1, 2.5, null]}',
                b" [1] ",
                b"[1",
                b'"\xc3\xbc"',
                b"1e400",
            ),
            *('{"a": "\u20ac"}'.encode("utf-16"), b"\xef\xbb\xbf{}", b"NaN", b'"\xff"'),
            *(b"null", b"1" * 5000, b"[" * 20 + b"]" * 20, MULTIPART),
            *(b"a=1&b=2&a=3", b"a=" + b"x" * 70000, b"a=%C3%BC+%26&b=\xc3\xbc&=&c"),
        ]
    ),
)
headers = st.dictionaries(
    st.sampled_from(
        [
            "HTTP_" + name
            for name in ("ACCEPT", "X_A", "X__B", "CONTENT_TYPE", "CONTENT_LENGTH")
        ]
        + [
            "HTTP_",
            "HTTP_HOST",
            "HTTP_X_FORWARDED_FOR",
            "HTTP_DATE",
            "HTTP_ORIGIN",
            "X_A",
        ]
    ),
    st.one_of(
        latin1, st.sampled_from(["1", "-5", "a.b:80", "x, y", "text/html;q=0.5"])
    ),
    max_size=4,
)
servers = st.fixed_dictionaries(
    {},
    optional={
        "REQUEST_METHOD": methods,
        "SCRIPT_NAME": st.one_of(latin1, st.just("/app/")),
        "PATH_INFO": st.one_of(
            latin1, st.sampled_from(["/a/b", "//a", "/\xc3\xbc", "/\xc3"])
        ),
        "QUERY_STRING": quoted,
        "HTTP_COOKIE": cookies,
        "CONTENT_TYPE": content_types,
        "CONTENT_LENGTH": lengths,
        "HTTP_TRANSFER_ENCODING": st.sampled_from(
            ["chunked", "gzip", "", "gzip, chunked"]
        ),
        "REMOTE_ADDR": st.sampled_from(["127.0.0.1", ""]),
        "REMOTE_USER": latin1,
        "SERVER_NAME": st.sampled_from(["localhost", "::1", ""]),
        "SERVER_PORT": st.sampled_from(["80", "8000", "", "x", None]),
        "wsgi.url_scheme": st.sampled_from(["http", "https", "wss", ""]),
        "wsgi.input_terminated": st.just(True),
        "wsgi.multithread": st.booleans(),
    },
)


class Trickle:
    """A stream without ``readinto``, that returns at most three bytes a time."""

    def __init__(self, data: bytes) -> None:
        self._file = BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size if size < 0 else min(size, 3))


class Broken:
    """A stream whose client has gone."""

    def __init__(self, data: bytes) -> None:
        pass

    def read(self, size: int = -1) -> bytes:
        raise OSError("gone")


class Mutable:
    """A stream of bytearrays."""

    def __init__(self, data: bytes) -> None:
        self._file = BytesIO(data)

    def read(self, size: int = -1) -> bytearray:
        return bytearray(self._file.read(size))


streams = st.sampled_from([BytesIO, BytesIO, BytesIO, Trickle, Broken, Mutable, None])


@st.composite
def environs(draw: st.DrawFn) -> Callable[[], dict[str, Any]]:
    """A function that makes the same environ again, with a stream of its own."""
    environ = draw(servers) | draw(headers)
    body = draw(bodies)
    if draw(st.booleans()):
        environ["CONTENT_LENGTH"] = str(len(body))
    stream = draw(streams)

    def make() -> dict[str, Any]:
        if stream is None:
            return dict(environ)
        return environ | {"wsgi.input": stream(body)}

    return make


# What is compared

ATTRIBUTES = sorted(
    name
    for name in {*dir(WerkzeugRequest), *dir(flask.Request)}
    if not name.startswith("_")
    and not callable(getattr(flask.Request, name))
    and name not in {"environ", "json_module", "shallow"}
)


def plain(value: Any) -> Any:
    """*value* as something that can be compared."""
    if isinstance(value, CombinedMultiDict):
        return type(value), [plain(part) for part in value.dicts]
    if isinstance(value, MultiDict):
        lists = [(k, [plain(v) for v in vs]) for k, vs in value.lists()]
        return type(value).__name__, isinstance(value, ImmutableMultiDict), lists
    if isinstance(value, EnvironHeaders):
        return sorted(value)
    if hasattr(value, "filename"):
        with closing(value):
            return value.filename, value.read()
    if isinstance(value, (Broken, Trickle, Mutable)):
        return type(value)
    if hasattr(value, "readable"):
        tell = value.tell()
        return type(value), outcome(value.read), tell
    if isinstance(value, (float, list, dict)):
        return repr(value)
    if type(value).__eq__ is object.__eq__:
        return type(value), str(value)
    return type(value), value


def outcome(read: Callable[[], Any]) -> Any:
    """What *read* returns, or how it fails."""
    try:
        return plain(read())
    except UnicodeDecodeError:
        return BadRequest, "not UTF-8"  # ours says so
    except HTTPException as e:
        if isinstance(e.__cause__, UnicodeDecodeError):
            return BadRequest, "not UTF-8"
        return type(e), e.code, e.description
    except Exception as e:
        return type(e), str(e) if isinstance(e, KeyError) else None


NAMES = (
    "Accept",
    "x-a",
    "X-A",
    "X_A",
    "",
    "Content-Type",
    "content_length",
    "COOKIE",
    "h\xf6",
)

operations = st.one_of(
    st.sampled_from(ATTRIBUTES).map(lambda name: ("attribute", name)),
    st.sampled_from(["form", "files", "stream", "data", "json", "args", "cookies"]).map(
        lambda name: ("attribute", name)
    ),
    st.sampled_from(["args", "cookies", "data", "host", "url"]).map(
        lambda name: ("delete", name)
    ),
    st.tuples(st.just("get_json"), st.booleans(), st.booleans(), st.booleans()),
    st.tuples(st.just("get_data"), st.booleans(), st.booleans(), st.booleans()),
    st.tuples(
        st.sampled_from(["header", "get", "in", "getlist"]), st.sampled_from(NAMES)
    ),
    st.tuples(
        st.just("convert"), st.sampled_from(NAMES), st.sampled_from([None, "d", 7])
    ),
    st.tuples(st.just("odd header"), st.sampled_from([1, None, b"Accept", ("a",)])),
    st.tuples(st.just("limit"), st.sampled_from([None, 0, 5, 100, 10**6])),
    st.sampled_from([("close",), ("repr",), ("cached json",), ("cached data",)]),
)


def apply(request: Any, operation: tuple[Any, ...]) -> Any:
    """Do *operation* to *request*."""
    kind, *args = operation
    if kind == "attribute":
        return getattr(request, args[0])
    if kind == "delete":
        return delattr(request, args[0])
    if kind == "get_json":
        return request.get_json(*args)
    if kind == "get_data":
        return request.get_data(*args)
    if kind == "header":
        return request.headers[args[0]]
    if kind == "get":
        return request.headers.get(args[0]), request.headers.get(args[0], "default")
    if kind == "in":
        return args[0] in request.headers
    if kind == "getlist":
        return request.headers.getlist(args[0])
    if kind == "convert":
        name, default = args
        return request.headers.get(name, default, int), request.headers.get(
            name, type=float
        )
    if kind == "odd header":
        return request.headers.get(args[0]), request.headers[args[0]]
    if kind == "limit":
        request.max_content_length = args[0]
        return request.max_content_length
    if kind == "cached json":
        request._cached_json = ("set", None)
        return request.json
    if kind == "cached data":
        request._cached_data = b"a=1"
        return request.get_data()
    if kind == "close":
        return request.close()
    assert kind == "repr"
    return repr(request).partition(" ")[2]


def compare(
    theirs: type, ours: type, make: Callable[[], dict[str, Any]], steps: list[Any]
) -> None:
    """Do the same to a request of each class; every answer has to be the same."""
    with theirs(make()) as expected, ours(make()) as got:
        for step in steps:
            answer = outcome(partial(apply, expected, step))
            assert outcome(partial(apply, got, step)) == answer, step


@given(environs(), st.lists(operations, max_size=8))
def test_any_use_of_a_request_is_as_with_flasks(make: Any, steps: list[Any]) -> None:
    compare(flask.Request, Request, make, steps)


limits = st.sampled_from([None, 0, 4, 20, 10**6])
configs = st.fixed_dictionaries(
    {},
    optional={
        "MAX_CONTENT_LENGTH": limits,
        "MAX_FORM_MEMORY_SIZE": limits,
        "MAX_FORM_PARTS": limits,
    },
)


@given(environs(), configs, st.lists(operations, max_size=6))
def test_c53_any_use_of_a_request_in_an_app(
    make: Any, config: dict[str, Any], steps: list[Any]
) -> None:
    theirs, ours = flask.Flask("theirs"), fastdispatch.App("ours")
    expected, got = flask.Request(make()), Request(make())
    for app, request in ((theirs, expected), (ours, got)):
        app.config.update(config)
        request.json_module = app.json
    with expected, got:
        for step in steps:
            with theirs.app_context():
                answer = outcome(partial(apply, expected, step))
            with ours.app_context():
                assert outcome(partial(apply, got, step)) == answer, step


json_texts = st.one_of(
    bodies,
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text()),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    ).map(lambda value: json.dumps(value).encode()),
)


@given(
    json_texts,
    st.sampled_from([b"", b" ", b"\r\n\t", b"\0", b"\xef\xbb\xbf", b"x", b"{}"]),
    st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32-le"]),
    st.booleans(),
    st.booleans(),
)
def test_any_json_is_parsed_as_the_standard_library_does(
    body: bytes, around: bytes, encoding: str, before: bool, as_text: bool
) -> None:
    body = around + body if before else body + around
    text = body.decode("latin1")
    for value in (text if as_text else body, text.encode(encoding)):
        expected = outcome(partial(json.loads, value))
        assert outcome(partial(PROVIDER.loads, value)) == expected
        try:
            json.loads(value)
        except ValueError as e:
            with pytest.raises(ValueError, match=re.escape(str(e))):
                PROVIDER.loads(value)


@given(environs())
def test_every_attribute_is_as_with_flasks(make: Any) -> None:
    for name in ATTRIBUTES:
        compare(flask.Request, Request, make, [("attribute", name)] * 2)


@given(quoted)
def test_any_query_is_parsed_as_werkzeug_does(query: str) -> None:
    environ = {"QUERY_STRING": query}
    compare(WerkzeugRequest, Request, environ.copy, [("attribute", "args")])


KEYS = ("a", "b", "", "ab", 1, None, ["unhashable"])


def uses(values: Any, key: Any) -> list[Any]:
    """What can be done with a multi dict and a key."""
    return [
        outcome(use)
        for use in (
            lambda: values[key],
            lambda: values.get(key),
            lambda: values.get(key, "default"),
            lambda: values.get(key, default=7, type=int),
            lambda: values.get(key, type=len),
            lambda: values.get(key, 7, lambda value: [][1]),
            lambda: values.get(key, type=None),
            lambda: key in values,
            lambda: values.getlist(key),
            lambda: values.getlist(key, int),
            lambda: values.setdefault(key, "default"),
            lambda: values.pop(key),
        )
    ] + [
        outcome(use)
        for use in (
            lambda: values.to_dict(),
            lambda: values.to_dict(flat=False),
            lambda: dict(values),
            lambda: {**values},
            lambda: list(values.items()),
            lambda: list(values.items(multi=True)),
            lambda: list(values.values()),
            lambda: list(values.listvalues()),
            lambda: list(reversed(values)),
            lambda: len(values),
            lambda: bool(values),
            lambda: hash(values),
            lambda: repr(values),
            lambda: values.copy(),
            lambda: values.deepcopy(),
            lambda: copy.copy(values) is values,
            lambda: pickle.loads(pickle.dumps(values)) == values,
            lambda: values == MultiDict(values),
            lambda: MultiDict(values) == values,
            lambda: CombinedMultiDict([values, values]),
            lambda: values | {"x": "y"},
            lambda: values.__ior__({"x": "y"}),
            lambda: values.add("x", "y"),
            lambda: values.clear(),
            lambda: values.update(x=1),
            lambda: values.__setitem__("x", 1),
            lambda: values.__delitem__("x"),
        )
    ]


@given(quoted.filter(str.isascii), st.sampled_from(KEYS))
def test_any_use_of_a_multi_dict_is_as_with_werkzeugs(query: str, key: Any) -> None:
    expected = WerkzeugRequest({"QUERY_STRING": query}).args
    assert uses(Request({"QUERY_STRING": query}).args, key) == uses(expected, key)


@given(cookies)
def test_any_cookie_header_is_parsed_as_werkzeug_does(header: str) -> None:
    environ = {"HTTP_COOKIE": header}
    compare(WerkzeugRequest, Request, environ.copy, [("attribute", "cookies")])


@given(quoted.map(lambda text: text.encode("latin1")))
def test_any_form_is_parsed_as_werkzeug_does(body: bytes) -> None:
    def make() -> dict[str, Any]:
        return {
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body),
        }

    steps = [("attribute", name) for name in ("form", "files", "stream", "data")]
    compare(WerkzeugRequest, Request, make, steps)


def other_storage(base: Any) -> Any:
    class Custom(base):  # type: ignore[misc]
        parameter_storage_class = MultiDict
        dict_storage_class = ImmutableDict

    return Custom


def other_attributes(base: Any) -> Any:
    class Custom(base):  # type: ignore[misc]
        want_form_data_parsed = False

        @property
        def query_string(self) -> bytes:
            return b"over=ridden"

        @query_string.setter
        def query_string(self, value: bytes) -> None:
            pass

        @property
        def headers(self) -> Any:
            return Headers(
                [("Cookie", "a=1"), ("Cookie", "b=2"), ("Content-Type", "x/Y")]
            )

        @headers.setter
        def headers(self, value: Any) -> None:
            pass

    return Custom


def other_methods(base: Any) -> Any:
    class Custom(base):  # type: ignore[misc]
        max_content_length = 100

        def _get_stream_for_parsing(self) -> Any:
            return BytesIO(b"other=stream")

        def get_data(self, *args: Any, **kwargs: Any) -> Any:
            return b'{"other": "data"}'

    return Custom


def other_stream(base: Any) -> Any:
    class Custom(base):  # type: ignore[misc]
        @property
        def stream(self) -> Any:
            return BytesIO(b"a=%31")

        mimetype = "application/x-www-form-urlencoded"

    return Custom


@pytest.mark.parametrize(
    "customise", [other_storage, other_attributes, other_methods, other_stream]
)
@given(make=environs(), steps=st.lists(operations, max_size=6))
def test_what_a_subclass_overrides_counts(
    customise: Any, make: Any, steps: list[Any]
) -> None:
    compare(customise(flask.Request), customise(Request), make, steps)
