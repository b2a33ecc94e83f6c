"""A program for real servers, accelerated if ``ACCELERATE=1``."""

from __future__ import annotations

import os
import threading
import time
import typing as t
from collections.abc import Iterable
from collections.abc import Iterator

import flask

import fastdispatch

CHUNK = "x" * 65536
CHUNKS = 2000

app = flask.Flask(__name__)
app.secret_key = "a key"
if os.environ["ACCELERATE"] == "1":
    fastdispatch.accelerate(app)

counts = {"arrived": 0, "left": 0, "mixed": 0, "most": 0, "now": 0}
counts |= {"streams": 0, "closed": 0, "teardowns": 0, "app_teardowns": 0}
counting = threading.Lock()


def count(name: str, by: int = 1) -> None:
    with counting:
        counts[name] += by
        counts["most"] = max(counts["most"], counts["now"])


class Watch:
    """Middleware: counts requests that find what another has left behind."""

    def __init__(self, wsgi_app: t.Any) -> None:
        self.wsgi_app = wsgi_app

    def __call__(self, environ: t.Any, start_response: t.Any) -> Iterable[bytes]:
        count("arrived")
        if flask.has_request_context() or flask.has_app_context():
            count("left")
        answer: Iterable[bytes] = self.wsgi_app(environ, start_response)
        return answer


app.wsgi_app = Watch(app.wsgi_app)  # type: ignore[method-assign]


@app.before_request
def begin() -> None:
    if list(flask.g):
        count("mixed")
    flask.g.user = flask.request.args.get("user")


@app.after_request
def after(response: flask.Response) -> flask.Response:
    response.headers["X-User"] = flask.g.user or ""
    return response


@app.teardown_request
def end(error: BaseException | None) -> None:
    if flask.g.user != flask.request.args.get("user"):
        count("mixed")
    if flask.request.path == "/stream":
        count("teardowns")


@app.teardown_appcontext
def end_app(error: BaseException | None) -> None:
    if flask.g.get("stream"):
        count("app_teardowns")


@app.route("/hello")
def hello() -> str:
    return "hello"


@app.route("/mix")
def mix() -> dict[str, t.Any]:
    """Wait for as many others as are wanted; let others in between any two looks."""
    count("now")
    end = time.monotonic() + 10
    while counts["most"] < int(flask.request.args["others"]) and time.monotonic() < end:
        time.sleep(0.01)
    user = flask.request.args["user"]
    seen = [flask.session.get("user", user)]
    flask.session["user"] = user
    flask.session["count"] = flask.session.get("count", 0) + 1
    for _ in range(4):
        time.sleep(0.01)
        seen += [flask.g.user, flask.session["user"], flask.request.args["user"]]
    count("now", -1)
    return {"seen": sorted(set(seen)), "count": flask.session["count"]}


@app.route("/stream")
def stream() -> flask.Response:
    def generate() -> Iterator[str]:
        count("streams")
        user = flask.g.user
        try:
            for _ in range(CHUNKS):
                if flask.g.user != user or flask.request.args["user"] != user:
                    count("mixed")
                yield CHUNK
        finally:
            count("closed")

    flask.g.stream = True
    return flask.Response(flask.stream_with_context(generate()))


@app.route("/counts")
def counted() -> dict[str, int]:
    return counts
