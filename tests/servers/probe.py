"""An application that tells what happened to it, for the tests on real servers.

Each event is one line of JSON in the file that ``PROBE_EVENTS`` names.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
import typing as t
from collections.abc import Iterable
from collections.abc import Iterator

from fastdispatch import App
from fastdispatch import g
from fastdispatch import has_app_context
from fastdispatch import has_request_context
from fastdispatch import request
from fastdispatch import Response
from fastdispatch import session
from fastdispatch import stream_with_context

CHUNK = b"x" * 65536
CHUNKS = 4000

app = App(__name__)
app.secret_key = "probe"

in_flight = 0
most_in_flight = 0
counting = threading.Lock()


def record(event: str, **details: t.Any) -> None:
    line = json.dumps({"event": event, **details}) + "\n"
    file = os.open(os.environ["PROBE_EVENTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


class Watch:
    """WSGI middleware: records what the last request left behind in its thread."""

    def __init__(self, wsgi_app: t.Callable[..., Iterable[bytes]]) -> None:
        self.wsgi_app = wsgi_app

    def __call__(self, environ: dict[str, t.Any], start_response: t.Any) -> t.Any:
        left = has_request_context() or has_app_context()
        record("arrived", path=environ["PATH_INFO"], context_left=left)
        return self.wsgi_app(environ, start_response)


app.wsgi_app = Watch(app.wsgi_app)  # type: ignore[method-assign]


@app.before_request
def begin() -> None:
    record("before", path=request.path, g=sorted(g))
    g.path = request.path


@app.teardown_request
def end(error: BaseException | None) -> None:
    record("teardown_request", path=request.path, g=g.path, error=repr(error))


@app.teardown_appcontext
def end_app(error: BaseException | None) -> None:
    record("teardown_appcontext", g=g.path, error=repr(error))


@app.get("/hello")
def hello() -> str:
    return "hello"


@app.get("/stream")
def stream() -> Response:
    def chunks() -> Iterator[bytes]:
        sent = 0
        try:
            for _ in range(CHUNKS):
                yield CHUNK
                sent += 1
                time.sleep(0.001)
        finally:
            record("stream_closed", path=request.path, g=g.path, sent=sent)

    return Response(stream_with_context(chunks()))


@app.get("/short-stream")
def short_stream() -> Response:
    return Response(stream_with_context(iter(["a", "", "b", "c"])))


@app.post("/ignore-body")
def ignore_body() -> str:
    return "ignored"


@app.post("/length")
def length() -> dict[str, int]:
    return {"length": len(request.get_data())}


@app.get("/empty")
def empty() -> tuple[str, int]:
    return "", 204


@app.get("/fail")
def fail() -> str:
    raise ValueError("on purpose")


@app.get("/name/<int:number>")
def name(number: int) -> str:
    session["number"] = number
    return "named"


@app.get("/who/<int:number>")
def who(number: int) -> dict[str, t.Any]:
    count_in()
    g.number = number
    time.sleep(0.002 * (number % 4))
    return answer(number)


@app.get("/who-async/<int:number>")
async def who_async(number: int) -> dict[str, t.Any]:
    count_in()
    g.number = number
    await asyncio.sleep(0.002 * (number % 4))
    return answer(number)


def count_in() -> None:
    global in_flight, most_in_flight
    with counting:
        in_flight += 1
        most_in_flight = max(most_in_flight, in_flight)


def answer(number: int) -> dict[str, t.Any]:
    """Return who this request believes it is, by each way of knowing."""
    global in_flight
    with counting:
        in_flight -= 1
    session["seen"] = session.get("seen", 0) + 1
    return {
        "argument": number,
        "g": g.number,
        "header": int(request.headers["X-Number"]),
        "query": int(request.args["number"]),
        "session": session["number"],
        "seen": session["seen"],
        "most_in_flight": most_in_flight,
    }
