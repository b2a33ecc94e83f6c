"""The workloads on Werkzeug alone, as its tutorial has it: a class around a URL map."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import InternalServerError
from werkzeug.routing import Map
from werkzeug.routing import Rule
from werkzeug.routing import Submount
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response

from ..workloads import BIG
from ..workloads import CHUNKS
from ..workloads import Environ
from ..workloads import HELLO
from ..workloads import hits
from ..workloads import ROUTES
from ..workloads import TEXT
from ..workloads import Unsupported
from ..workloads import USER
from ..workloads import WSGIApp

log = logging.getLogger("bench.werkzeug")
log.disabled = True


def hello(request: Request) -> Response:
    return Response(HELLO, mimetype="text/html")


def user(request: Request, id: int) -> Response:
    body = json.dumps(USER | {"id": id})
    return Response(body, mimetype="application/json")


def search(request: Request) -> Response:
    text = (
        f"{request.args['q']}|{request.headers['Accept-Language']}"
        f"|{request.cookies['theme']}"
    )
    return Response(text, mimetype="text/html")


def echo(request: Request) -> Response:
    return Response(json.dumps(request.get_json()), mimetype="application/json")


def form(request: Request) -> Response:
    got = request.form
    text = f"{got['name']}|{got['email']}|{got['message']}"
    return Response(text, mimetype="text/html")


def error(request: Request) -> Response:
    raise ValueError("no")


def listing(request: Request) -> Response:
    return Response("list", mimetype="text/html")


def item(request: Request, id: int) -> Response:
    return Response(str(id), mimetype="text/html")


def big(request: Request) -> Response:
    return Response(BIG, mimetype="application/octet-stream")


def chunks() -> Iterator[bytes]:
    yield from CHUNKS


def stream(request: Request) -> Response:
    return Response(chunks(), content_type=TEXT)


class Application:
    """The tutorial's application: match, call the view, the exception is the answer."""

    def __init__(self, url_map: Map) -> None:
        self.url_map = url_map

    def dispatch_request(self, request: Request) -> Any:
        adapter = self.url_map.bind_to_environ(request.environ)
        try:
            view, values = adapter.match()
            return view(request, **values)
        except HTTPException as e:
            return e
        except Exception:
            log.exception("Exception on %s", request.path)
            return InternalServerError()

    def wsgi_app(
        self, environ: Environ, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        response = self.dispatch_request(Request(environ))
        result: Iterable[bytes] = response(environ, start_response)
        return result

    def __call__(
        self, environ: Environ, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        return self.wsgi_app(environ, start_response)


class Hooked(Application):
    """Werkzeug has no hooks: they are calls in the dispatch, the last on close."""

    def __init__(self, url_map: Map, levels: int) -> None:
        super().__init__(url_map)
        self.before = range(levels)
        self.after = range(levels, 2 * levels)
        self.teardown = range(2 * levels, 3 * levels)

    def dispatch_request(self, request: Request) -> Any:
        for n in self.before:
            count(n)
        response = super().dispatch_request(request)
        for n in self.after:
            count(n)
        for n in self.teardown:
            response.call_on_close(lambda n=n: count(n))
        return response


def count(number: int) -> None:
    hits[number] += 1


def rules(workload: str) -> list[Any]:
    """What the URL map of a workload holds: the endpoints are the views themselves."""
    if workload == "W10":
        return [
            Rule(f"/section{n}/item/<int:id>", endpoint=item)
            if n % 2
            else Rule(f"/section{n}/list", endpoint=listing)
            for n in range(ROUTES)
        ]
    if workload == "W13":
        rule = Rule("/hello", endpoint=hello)
        return [Submount("/a", [Submount("/b", [Submount("/c", [rule])])])]
    known: dict[str, Rule] = {
        "W1": Rule("/", endpoint=hello),
        "W2": Rule("/users/<int:id>", endpoint=user),
        "W3": Rule("/", endpoint=hello),
        "W4": Rule("/search", endpoint=search),
        "W5": Rule("/echo", endpoint=echo, methods=["POST"]),
        "W6": Rule("/form", endpoint=form, methods=["POST"]),
        "W8": Rule("/", endpoint=hello),
        "W9": Rule("/error", endpoint=error),
        "W11": Rule("/big", endpoint=big),
        "W12": Rule("/stream", endpoint=stream),
    }
    if workload not in known:
        raise Unsupported("Werkzeug has no sessions")
    return [known[workload]]


def make(workload: str) -> WSGIApp:
    """The program of that workload on Werkzeug."""
    url_map = Map(rules(workload))
    if workload in {"W3", "W13"}:
        return Hooked(url_map, 3 if workload == "W3" else 4)
    return Application(url_map)
