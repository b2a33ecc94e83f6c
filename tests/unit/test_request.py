"""Request: Werkzeug's and Flask's, made of an environ that is read late."""

from __future__ import annotations

import copy
import pickle
import weakref
from typing import Any

import pytest
from werkzeug.datastructures import EnvironHeaders
from werkzeug.exceptions import BadRequest
from werkzeug.test import create_environ
from werkzeug.wrappers import Request as WerkzeugRequest

from fastdispatch.wrappers import Request


def test_the_constructor_reads_nothing_from_the_environ() -> None:
    request = Request({})
    assert request.environ == {"werkzeug.request": request}
    request.environ["PATH_INFO"] = "/late"
    assert request.path == "/late"
    request.environ["PATH_INFO"] = "/later"
    assert request.path == "/late"


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
    for read in (request.check, lambda: getattr(request, name)):
        with pytest.raises(BadRequest) as caught:
            read()
        assert key in str(caught.value.description)


def test_c1_check_lets_latin1_pass() -> None:
    Request({}).check()
    Request(create_environ("/\u00fc?\u00fc=\u00fc")).check()
