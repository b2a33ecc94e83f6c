"""The workloads as a Bottle program."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import bottle

from ..workloads import BIG
from ..workloads import CHUNKS
from ..workloads import HELLO
from ..workloads import hits
from ..workloads import ROUTES
from ..workloads import SECRET
from ..workloads import TEXT
from ..workloads import Unsupported
from ..workloads import USER
from ..workloads import WSGIApp

request = bottle.request
response = bottle.response


def add_hooks(app: Any, befores: int, afters: int) -> None:
    """Bottle's after_request hooks run whatever happened: they are its teardown too."""
    for n in range(befores):
        app.add_hook("before_request", _count(n))
    for n in range(befores, befores + afters):
        app.add_hook("after_request", _count(n))


def _count(number: int) -> Any:
    def hook() -> None:
        hits[number] += 1

    return hook


def make(workload: str) -> WSGIApp:
    """The program of that workload on Bottle."""
    app: Any = bottle.Bottle()
    if workload in {"W1", "W3", "W8"}:

        @app.get("/")
        def hello() -> str:
            return HELLO

        if workload == "W3":
            add_hooks(app, 3, 6)

    elif workload == "W2":

        @app.get("/users/<id:int>")
        def user(id: int) -> Any:
            return USER | {"id": id}

    elif workload == "W4":

        @app.get("/search")
        def search() -> str:
            return (
                f"{request.query['q']}|{request.headers['Accept-Language']}"
                f"|{request.cookies['theme']}"
            )

    elif workload == "W5":

        @app.post("/echo")
        def echo() -> Any:
            return request.json

    elif workload == "W6":

        @app.post("/form")
        def form() -> str:
            got = request.forms
            return f"{got['name']}|{got['email']}|{got['message']}"

    elif workload == "W7":

        @app.get("/count")
        def count() -> str:
            session = json.loads(request.get_cookie("session", "{}", SECRET))
            session["n"] = session.get("n", 0) + 1
            response.set_cookie("session", json.dumps(session), SECRET)
            return str(session["n"])

    elif workload == "W10":

        def listing() -> str:
            return "list"

        def item(id: int) -> str:
            return str(id)

        for n in range(ROUTES):
            if n % 2:
                app.route(f"/section{n}/item/<id:int>", "GET", item)
            else:
                app.route(f"/section{n}/list", "GET", listing)

    elif workload == "W11":

        @app.get("/big")
        def big() -> bytes:
            response.content_type = "application/octet-stream"
            return BIG

    elif workload == "W12":

        @app.get("/stream")
        def stream() -> Iterator[bytes]:
            response.content_type = TEXT
            yield from CHUNKS

    elif workload == "W13":

        @app.get("/a/b/c/hello")
        def nested() -> str:
            return HELLO

        add_hooks(app, 4, 8)

    else:
        raise Unsupported("Bottle prints the traceback to wsgi.errors, always")
    result: WSGIApp = app
    return result
