"""The workloads W1 to W13: the request each one sends and the answer it must get.

An application module in ``bench.apps`` has ``make(name)``, which returns a WSGI
callable, or an ``ASGI`` around an ASGI one, and raises ``Unsupported`` for a workload
its framework has no idiomatic program for.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from io import BytesIO
from typing import Any
from typing import TypeAlias
from urllib.parse import urlencode

from .asgi import ASGI

Environ: TypeAlias = dict[str, Any]
WSGIApp: TypeAlias = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
Application: TypeAlias = WSGIApp | ASGI

HELLO = "Hello, World!"
BIG = bytes(range(256)) * 256
CHUNKS = [f"chunk number {n}\n".encode() for n in range(10)]
ROUTES = 500
SECRET = "a secret key of thirty-two chars"

#: How often each hook ran; the applications count here, ``check`` reads it.
hits = [0] * 12


class Unsupported(Exception):
    """The framework has no idiomatic program for this workload."""


class Refused(Exception):
    """An answer that is not the one the workload asks for."""


@dataclass
class Answer:
    """What came back: status, headers with lower-case names, parts of the body."""

    status: int
    headers: list[tuple[str, str]]
    parts: list[bytes]

    @property
    def body(self) -> bytes:
        """All parts."""
        return b"".join(self.parts)

    def get(self, name: str) -> str | None:
        """The first header of that lower-case name."""
        return next((value for key, value in self.headers if key == name), None)


BROWSER: Environ = {
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.errors": sys.stderr,
    "wsgi.input": BytesIO(),
    "wsgi.input_terminated": True,
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
    "SERVER_SOFTWARE": "bench",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "8000",
    "REMOTE_ADDR": "127.0.0.1",
    "REMOTE_PORT": "51788",
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/",
    "QUERY_STRING": "",
    "RAW_URI": "/",
    "HTTP_HOST": "127.0.0.1:8000",
    "HTTP_CONNECTION": "keep-alive",
    "HTTP_CACHE_CONTROL": "max-age=0",
    "HTTP_UPGRADE_INSECURE_REQUESTS": "1",
    "HTTP_USER_AGENT": (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/126.0.0.0 Safari/537.36"
    ),
    "HTTP_ACCEPT": (
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
        "*/*;q=0.8"
    ),
    "HTTP_SEC_FETCH_SITE": "none",
    "HTTP_SEC_FETCH_MODE": "navigate",
    "HTTP_SEC_FETCH_DEST": "document",
    "HTTP_ACCEPT_ENCODING": "gzip, deflate, br, zstd",
    "HTTP_ACCEPT_LANGUAGE": "en-GB,en;q=0.9,de;q=0.8",
    "HTTP_COOKIE": "_ga=GA1.1.1234567890.1700000000; theme=dark; lang=en",
}


@dataclass(frozen=True)
class Workload:
    """One request and the answer that counts.

    ``body`` None: the error pages differ between frameworks and are not compared.
    ``hooks``: how many of ``hits`` must be one after one request. ``parts``: in how
    many pieces the body must come; it has no length then.
    """

    name: str
    title: str
    path: str = "/"
    status: int = 200
    content_type: str | None = "text/html; charset=utf-8"
    body: bytes | None = HELLO.encode()
    changes: Environ = field(default_factory=dict)
    payload: bytes | None = None
    hooks: int = 0
    parts: int = 0

    def environ(self) -> Environ:
        """A browser's environ for this request, with an empty ``wsgi.input``."""
        environ = BROWSER | {"PATH_INFO": self.path, "RAW_URI": self.path}
        if self.payload is not None:
            environ["CONTENT_LENGTH"] = str(len(self.payload))
        return environ | self.changes

    def ask(self, app: Application, environ: Environ) -> Answer:
        """Send *environ* to *app* as a server would."""
        payload = self.payload or b""
        if isinstance(app, ASGI):
            return Answer(*app.ask(environ, payload))
        environ = environ | {"wsgi.input": BytesIO(payload)}
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], object]:
            started[:] = [(status, list(headers))]
            return lambda data: None

        result = app(environ, start_response)
        try:
            parts = list(result)
        finally:
            if (close := getattr(result, "close", None)) is not None:
                close()
        status, headers = started[0]
        return Answer(int(status[:3]), [(k.lower(), v) for k, v in headers], parts)

    def prepare(self, app: Application) -> Environ:
        """Check the answer of *app*; returns the environ to time it with.

        Raises ``Refused`` where it does less, or other, than the workload says.
        """
        environ = self.environ()
        self.check(app, environ)
        return environ

    def check(self, app: Application, environ: Environ) -> Answer:
        """One request, compared in status, body, content type, length and hooks."""
        hits[:] = [0] * len(hits)
        answer = self.ask(app, environ)
        self.expect("status", answer.status, self.status)
        if self.body is not None:
            got: object = answer.body
            want: object = self.body
            if self.content_type == "application/json":
                got, want = json.loads(answer.body), json.loads(self.body)
            self.expect("body", got, want)
        if self.content_type is not None:
            got = (answer.get("content-type") or "").lower().replace(" ", "")
            if self.content_type == "application/json":  # its charset means nothing
                got = str(got).partition(";")[0]
            self.expect("content type", got, self.content_type.replace(" ", ""))
        if self.parts:
            got = sum(1 for part in answer.parts if part)
            self.expect("number of parts", got, self.parts)
        else:
            self.expect("length", answer.get("content-length"), str(len(answer.body)))
        if self.hooks:
            self.expect("hooks that ran", hits[: self.hooks], [1] * self.hooks)
        return answer

    def expect(self, what: str, got: object, want: object) -> None:
        """Raise ``Refused`` unless *got* is *want*."""
        if got != want:
            raise Refused(f"{self.name}: {what} is {got!r:.80}, not {want!r:.80}")


class SessionWorkload(Workload):
    """W7: the requests that are timed carry the cookie of an earlier answer."""

    def prepare(self, app: Application) -> Environ:
        """Requests without a cookie, with the signed one and with forged ones."""
        environ = self.environ()
        del environ["HTTP_COOKIE"]
        self.expect("first count", self.ask(app, environ).body, b"1")
        cookie = self.ask(app, environ).get("set-cookie") or ""
        environ["HTTP_COOKIE"] = cookie.partition(";")[0]
        answer = self.check(app, environ)
        self.expect("cookie written", answer.get("set-cookie") is not None, True)
        name, _, value = environ["HTTP_COOKIE"].partition("=")
        last = len(value.rstrip("=")) - 1  # some of its bits may mean nothing
        for at, char in enumerate(value[:last]):
            if char.isalnum():
                other = "3" if char != "3" else "4"
                forged = f"{name}={value[:at]}{other}{value[at + 1 :]}"
                answer = self.ask(app, environ | {"HTTP_COOKIE": forged})
                self.expect("count with a forged cookie", answer.body, b"1")
        return environ


USER = {"id": 42, "name": "Ada Lovelace", "active": True}
JSON_IN = {
    "id": 12345,
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "tags": ["analyst", "metaphysician", "poet"],
    "address": {"street": "12 St James's Square", "city": "London"},
    "active": True,
    "score": 98.25,
}
FORM = {"name": "Ada Lovelace", "email": "ada@example.com", "message": "Hello & bye"}
TEXT = "text/plain; charset=utf-8"

_JSON = json.dumps(JSON_IN).encode()
_POST = {"REQUEST_METHOD": "POST"}

WORKLOADS: dict[str, Workload] = {
    w.name: w
    for w in (
        Workload("W1", "hello, text"),
        Workload(
            "W2",
            "/users/<int:id> to JSON",
            path="/users/42",
            content_type="application/json",
            body=json.dumps(USER).encode(),
        ),
        Workload("W3", "hello with 3 before, 3 after, 3 teardown hooks", hooks=9),
        Workload(
            "W4",
            "a query argument, a header, a cookie",
            path="/search",
            changes={"QUERY_STRING": "q=fast+dispatch&page=2"},
            body=b"fast dispatch|en-GB,en;q=0.9,de;q=0.8|dark",
        ),
        Workload(
            "W5",
            f"POST JSON of {len(_JSON)} bytes, echoed",
            path="/echo",
            content_type="application/json",
            body=_JSON,
            changes={**_POST, "CONTENT_TYPE": "application/json"},
            payload=_JSON,
        ),
        Workload(
            "W6",
            "POST form, 3 fields",
            path="/form",
            body="|".join(FORM.values()).encode(),
            changes={**_POST, "CONTENT_TYPE": "application/x-www-form-urlencoded"},
            payload=urlencode(FORM).encode(),
        ),
        SessionWorkload("W7", "session read and written", path="/count", body=b"2"),
        Workload(
            "W8", "404", path="/missing", status=404, body=None, content_type=None
        ),
        Workload(
            "W9",
            "a view's exception, 500, log silenced",
            path="/error",
            status=500,
            body=None,
            content_type=None,
        ),
        Workload(
            "W10",
            f"{ROUTES} routes, half with a parameter, the last is hit",
            path=f"/section{ROUTES - 1}/item/77",
            body=b"77",
        ),
        Workload(
            "W11",
            "64 KiB of bytes",
            path="/big",
            body=BIG,
            content_type="application/octet-stream",
        ),
        Workload(
            "W12",
            "a generator of 10 chunks",
            path="/stream",
            body=b"".join(CHUNKS),
            content_type=TEXT,
            parts=len(CHUNKS),
        ),
        Workload(
            "W13",
            "blueprints nested 3 deep, hooks on every level",
            path="/a/b/c/hello",
            hooks=12,
        ),
    )
}
