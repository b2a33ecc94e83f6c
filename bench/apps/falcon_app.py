"""The workloads as a Falcon program."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import falcon

from ..workloads import BIG
from ..workloads import CHUNKS
from ..workloads import HELLO
from ..workloads import hits
from ..workloads import ROUTES
from ..workloads import TEXT
from ..workloads import Unsupported
from ..workloads import USER
from ..workloads import WSGIApp

log = logging.getLogger("bench.falcon")
log.disabled = True


class Hello:
    def on_get(self, req: Any, resp: Any) -> None:
        resp.content_type = falcon.MEDIA_HTML
        resp.text = HELLO


class User:
    def on_get(self, req: Any, resp: Any, id: int) -> None:
        resp.media = USER | {"id": id}


class Search:
    def on_get(self, req: Any, resp: Any) -> None:
        resp.content_type = falcon.MEDIA_HTML
        resp.text = (
            f"{req.get_param('q')}|{req.get_header('Accept-Language')}"
            f"|{req.cookies['theme']}"
        )


class Echo:
    def on_post(self, req: Any, resp: Any) -> None:
        resp.media = req.get_media()


class Form:
    def on_post(self, req: Any, resp: Any) -> None:
        got = req.get_media()
        resp.content_type = falcon.MEDIA_HTML
        resp.text = f"{got['name']}|{got['email']}|{got['message']}"


class Error:
    def on_get(self, req: Any, resp: Any) -> None:
        raise ValueError("no")


class Listing:
    def on_get(self, req: Any, resp: Any) -> None:
        resp.content_type = falcon.MEDIA_HTML
        resp.text = "list"


class Item:
    def on_get(self, req: Any, resp: Any, id: int) -> None:
        resp.content_type = falcon.MEDIA_HTML
        resp.text = str(id)


class Big:
    def on_get(self, req: Any, resp: Any) -> None:
        resp.content_type = "application/octet-stream"
        resp.data = BIG


class Stream:
    def on_get(self, req: Any, resp: Any) -> None:
        resp.content_type = TEXT
        resp.stream = self.chunks()

    def chunks(self) -> Iterator[bytes]:
        yield from CHUNKS


class Hooks:
    """Before and after hooks as middleware: Falcon's form of an app-wide hook."""

    def __init__(self, first: int, levels: int) -> None:
        self.before = first
        self.after = first + levels

    def process_request(self, req: Any, resp: Any) -> None:
        hits[self.before] += 1

    def process_response(self, req: Any, resp: Any, resource: Any, ok: bool) -> None:
        hits[self.after] += 1


class Teardown:
    """``process_response`` runs whatever happened: Falcon's teardown."""

    def __init__(self, number: int) -> None:
        self.number = number

    def process_response(self, req: Any, resp: Any, resource: Any, ok: bool) -> None:
        hits[self.number] += 1


def _before(req: Any, resp: Any, resource: Any, params: Any, number: int) -> None:
    hits[number] += 1


def _after(req: Any, resp: Any, resource: Any, *numbers: int) -> None:
    for number in numbers:
        hits[number] += 1


@falcon.before(_before, 1)
@falcon.before(_before, 2)
@falcon.before(_before, 3)
@falcon.after(_after, 5)
@falcon.after(_after, 6)
@falcon.after(_after, 7)
@falcon.after(_after, 9)
@falcon.after(_after, 10)
@falcon.after(_after, 11)
class Nested(Hello):
    """The levels below the application as decorators: Falcon has no blueprints."""

    def on_get(self, req: Any, resp: Any) -> None:
        super().on_get(req, resp)


def _silent(req: Any, resp: Any, error: Exception, params: Any) -> None:
    log.error("Exception on %s", req.path, exc_info=error)
    raise falcon.HTTPInternalServerError


RESOURCES: dict[str, tuple[str, Any]] = {
    "W1": ("/", Hello()),
    "W2": ("/users/{id:int}", User()),
    "W3": ("/", Hello()),
    "W4": ("/search", Search()),
    "W5": ("/echo", Echo()),
    "W6": ("/form", Form()),
    "W8": ("/", Hello()),
    "W9": ("/error", Error()),
    "W11": ("/big", Big()),
    "W12": ("/stream", Stream()),
    "W13": ("/a/b/c/hello", Nested()),
}


def make(workload: str) -> WSGIApp:
    """The program of that workload on Falcon."""
    middleware: list[Any] = []
    if workload == "W3":
        middleware = [Hooks(n, 3) for n in range(3)]
        middleware += [Teardown(n) for n in range(6, 9)]
    elif workload == "W13":
        middleware = [Hooks(0, 4), Teardown(8)]
    app: Any = falcon.App(middleware=middleware)
    if workload == "W9":
        app.add_error_handler(Exception, _silent)
    if workload == "W10":
        for n in range(ROUTES):
            if n % 2:
                app.add_route(f"/section{n}/item/{{id:int}}", Item())
            else:
                app.add_route(f"/section{n}/list", Listing())
    elif workload in RESOURCES:
        app.add_route(*RESOURCES[workload])
    else:
        raise Unsupported("Falcon has no sessions")
    result: WSGIApp = app
    return result
