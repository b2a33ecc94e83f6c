"""No framework: each workload's bare work, by hand."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from http import cookies
from typing import Any
from urllib.parse import parse_qs

from itsdangerous import BadSignature
from itsdangerous import URLSafeTimedSerializer

from ..workloads import BIG
from ..workloads import CHUNKS
from ..workloads import Environ
from ..workloads import HELLO
from ..workloads import hits
from ..workloads import ROUTES
from ..workloads import SECRET
from ..workloads import USER
from ..workloads import WSGIApp

Start = Callable[..., Any]
HTML = ("Content-Type", "text/html; charset=utf-8")
JSON = ("Content-Type", "application/json")
log = logging.getLogger("bench.raw")
log.disabled = True


def reply(
    start: Start, body: bytes, content_type: tuple[str, str] = HTML
) -> list[bytes]:
    start("200 OK", [content_type, ("Content-Length", str(len(body)))])
    return [body]


def not_found(start: Start) -> list[bytes]:
    body = b"Not Found"
    start("404 Not Found", [HTML, ("Content-Length", str(len(body)))])
    return [body]


def hello(environ: Environ, start: Start) -> Iterable[bytes]:
    if environ["PATH_INFO"] != "/":
        return not_found(start)
    return reply(start, HELLO.encode())


def user(environ: Environ, start: Start) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if not path.startswith("/users/"):
        return not_found(start)
    number = int(path[7:])
    return reply(start, json.dumps(USER | {"id": number}).encode(), JSON)


def _count(n: int) -> Callable[[], None]:
    def hook() -> None:
        hits[n] += 1

    return hook


def _hooked(path: str, levels: int) -> WSGIApp:
    before = [_count(n) for n in range(levels)]
    after = [_count(n) for n in range(levels, 2 * levels)]
    teardown = [_count(n) for n in range(2 * levels, 3 * levels)]

    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        if environ["PATH_INFO"] != path:
            return not_found(start)
        try:
            for hook in before:
                hook()
            body = HELLO.encode()
            for hook in after:
                hook()
            return reply(start, body)
        finally:
            for hook in teardown:
                hook()

    return app


def search(environ: Environ, start: Start) -> Iterable[bytes]:
    if environ["PATH_INFO"] != "/search":
        return not_found(start)
    query = parse_qs(environ["QUERY_STRING"])
    jar = dict(
        pair.strip().partition("=")[::2] for pair in environ["HTTP_COOKIE"].split(";")
    )
    text = f"{query['q'][0]}|{environ['HTTP_ACCEPT_LANGUAGE']}|{jar['theme']}"
    return reply(start, text.encode())


def echo(environ: Environ, start: Start) -> Iterable[bytes]:
    if environ["PATH_INFO"] != "/echo" or environ["REQUEST_METHOD"] != "POST":
        return not_found(start)
    data = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    return reply(start, json.dumps(data).encode(), JSON)


def form(environ: Environ, start: Start) -> Iterable[bytes]:
    if environ["PATH_INFO"] != "/form" or environ["REQUEST_METHOD"] != "POST":
        return not_found(start)
    data = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
    got = parse_qs(data)
    text = f"{got['name'][0]}|{got['email'][0]}|{got['message'][0]}"
    return reply(start, text.encode())


signer = URLSafeTimedSerializer(
    SECRET, salt="cookie-session", signer_kwargs={"key_derivation": "hmac"}
)


def count(environ: Environ, start: Start) -> Iterable[bytes]:
    if environ["PATH_INFO"] != "/count":
        return not_found(start)
    value = cookies.SimpleCookie(environ.get("HTTP_COOKIE", "")).get("session")
    try:
        session = signer.loads(value.value, max_age=2678400) if value else {}
    except BadSignature:
        session = {}
    session["n"] = session.get("n", 0) + 1
    body = str(session["n"]).encode()
    cookie = f"session={signer.dumps(session)}; HttpOnly; Path=/"
    start(
        "200 OK",
        [
            HTML,
            ("Content-Length", str(len(body))),
            ("Vary", "Cookie"),
            ("Set-Cookie", cookie),
        ],
    )
    return [body]


def error(environ: Environ, start: Start) -> Iterable[bytes]:
    try:
        raise ValueError("no")
    except Exception:
        log.exception("Exception on %s", environ["PATH_INFO"])
        body = b"Internal Server Error"
        start("500 Internal Server Error", [HTML, ("Content-Length", str(len(body)))])
        return [body]


def routes() -> WSGIApp:
    static = {f"/section{n}/list" for n in range(0, ROUTES, 2)}
    items = {f"section{n}" for n in range(1, ROUTES, 2)}

    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path in static:
            return reply(start, b"list")
        parts = path.split("/")
        if len(parts) == 4 and parts[1] in items and parts[2] == "item":
            return reply(start, str(int(parts[3])).encode())
        return not_found(start)

    return app


def big(environ: Environ, start: Start) -> Iterable[bytes]:
    if environ["PATH_INFO"] != "/big":
        return not_found(start)
    return reply(start, BIG, ("Content-Type", "application/octet-stream"))


def _stream() -> Iterator[bytes]:
    yield from CHUNKS


def stream(environ: Environ, start: Start) -> Iterable[bytes]:
    if environ["PATH_INFO"] != "/stream":
        return not_found(start)
    start("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return _stream()


APPS: dict[str, WSGIApp] = {
    "W1": hello,
    "W2": user,
    "W3": _hooked("/", 3),
    "W4": search,
    "W5": echo,
    "W6": form,
    "W7": count,
    "W8": hello,
    "W9": error,
    "W10": routes(),
    "W11": big,
    "W12": stream,
    "W13": _hooked("/a/b/c/hello", 4),
}


def make(workload: str) -> WSGIApp:
    """The hand-written application of that workload."""
    return APPS[workload]
