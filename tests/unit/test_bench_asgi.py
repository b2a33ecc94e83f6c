"""ASGI applications are asked, checked and timed as the WSGI ones are."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from bench.asgi import ASGI
from bench.asgi import bare
from bench.asgi import scope_of
from bench.timing import drive
from bench.workloads import Refused
from bench.workloads import WORKLOADS

W1 = WORKLOADS["W1"]
HTML = [(b"Content-Type", b"text/html; charset=utf-8"), (b"content-length", b"13")]


def app_that(
    body: bytes = b"Hello, World!",
    status: int = 200,
    end: bool = True,
    error: Exception | None = None,
    start_error: Exception | None = None,
) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        if scope["type"] == "lifespan":
            assert message == {"type": "lifespan.startup"}
            if start_error is not None:
                raise start_error
            await send({"type": "lifespan.startup.complete"})
            await receive()
        assert message["body"] == b""
        start = {"type": "http.response.start", "status": status, "headers": HTML}
        await send(start)
        await send({"type": "http.response.body", "body": body, "more_body": not end})
        if error is not None:
            raise error

    return app


def test_one_that_does_all_is_accepted_and_timed() -> None:
    app = ASGI(app_that())
    assert drive(app, W1.prepare(app), None, 3) > 0


@pytest.mark.parametrize(
    ("app", "what"),
    [
        (app_that(body=b"Hello, World?"), "body"),
        (app_that(status=201), "status"),
        (bare, "body"),
    ],
)
def test_one_that_does_less_is_refused(app: Any, what: str) -> None:
    with pytest.raises(Refused, match=what):
        W1.prepare(ASGI(app))


def test_half_a_response_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="not a whole response"):
        W1.prepare(ASGI(app_that(end=False)))


def test_an_error_is_not_swallowed_unless_the_response_is_complete() -> None:
    error = ValueError("no")
    quiet = ASGI(app_that(error=error), raises=True)
    W1.prepare(quiet)
    drive(quiet, W1.environ(), None, 3)
    half = ASGI(app_that(error=error, end=False), raises=True)
    for app in (ASGI(app_that(error=error)), half):
        with pytest.raises(ValueError, match="no"):
            W1.prepare(app)
        with pytest.raises(ValueError, match="no"):
            drive(app, W1.environ(), None, 3)


def test_one_that_does_not_start_says_why() -> None:
    with pytest.raises(ValueError, match="no database"):
        ASGI(app_that(start_error=ValueError("no database")))


def test_who_waits_for_the_client_is_told_when_the_response_is_complete() -> None:
    ends = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await bare(scope, receive, send)
            return
        await receive()
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        assert not waiting.done()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        ends.append((await waiting)["type"])

    driven = ASGI(app)
    driven.ask(W1.environ(), b"")
    drive(driven, W1.environ(), None, 2)
    assert ends == ["http.disconnect"] * 3


def test_the_scope_is_the_environ_s_request() -> None:
    w5 = WORKLOADS["W5"]
    scope = scope_of(w5.environ() | {"QUERY_STRING": "a=b"})
    assert (scope["method"], scope["path"]) == ("POST", "/echo")
    assert scope["raw_path"] == b"/echo"
    assert scope["query_string"] == b"a=b"
    headers = dict(scope["headers"])
    assert headers[b"accept-language"] == b"en-GB,en;q=0.9,de;q=0.8"
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"content-length"] == str(len(w5.payload or b"")).encode()
