"""The workloads as a BlackSheep program (ASGI)."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from collections.abc import Awaitable
from collections.abc import Callable
from functools import wraps
from typing import Any

from blacksheep import Application
from blacksheep import Content
from blacksheep import Request
from blacksheep import Response
from blacksheep import Router
from blacksheep import StreamedContent
from blacksheep.server.responses import html
from blacksheep.server.responses import json

from ..asgi import ASGI
from ..workloads import BIG
from ..workloads import CHUNKS
from ..workloads import HELLO
from ..workloads import hits
from ..workloads import ROUTES
from ..workloads import SECRET
from ..workloads import TEXT
from ..workloads import USER

View = Callable[..., Awaitable[Response]]
logging.getLogger("blacksheep.server").disabled = True


async def hello(request: Request) -> Response:
    return html(HELLO)


async def user(id: int) -> Response:
    return json(USER | {"id": id})


async def search(request: Request) -> Response:
    language = request.get_first_header(b"accept-language") or b""
    return html(
        f"{request.query['q'][0]}|{language.decode()}|{request.cookies['theme']}"
    )


async def echo(request: Request) -> Response:
    return json(await request.json())


async def form(request: Request) -> Response:
    got: Any = await request.form()
    return html(f"{got['name']}|{got['email']}|{got['message']}")


async def count(request: Request) -> Response:
    session = request.session
    session["n"] = session.get("n", 0) + 1
    return html(str(session["n"]))


async def error(request: Request) -> Response:
    raise ValueError("no")


async def listing(request: Request) -> Response:
    return html("list")


async def item(id: int) -> Response:
    return html(str(id))


async def big(request: Request) -> Response:
    return Response(200, content=Content(b"application/octet-stream", BIG))


async def chunks() -> AsyncIterator[bytes]:
    for chunk in CHUNKS:
        yield chunk


async def stream(request: Request) -> Response:
    return Response(200, content=StreamedContent(TEXT.encode(), chunks))


def hooks(first: int, levels: int) -> Callable[[Request, View], Awaitable[Response]]:
    """One before, after and teardown hook as a middleware."""

    async def middleware(request: Request, handler: View) -> Response:
        hits[first] += 1
        try:
            response = await handler(request)
            hits[first + levels] += 1
            return response
        finally:
            hits[first + 2 * levels] += 1

    return middleware


def hooked(first: int, levels: int) -> Callable[[View], View]:
    """The hooks of one level of URLs, as a decorator of the handler."""
    middleware = hooks(first, levels)

    def decorator(view: View) -> View:
        @wraps(view)
        async def wrapper(request: Request) -> Response:
            return await middleware(request, view)

        return wrapper

    return decorator


VIEWS: dict[str, tuple[str, str, View]] = {
    "W1": ("GET", "/", hello),
    "W2": ("GET", "/users/{int:id}", user),
    "W3": ("GET", "/", hello),
    "W4": ("GET", "/search", search),
    "W5": ("POST", "/echo", echo),
    "W6": ("POST", "/form", form),
    "W7": ("GET", "/count", count),
    "W8": ("GET", "/", hello),
    "W9": ("GET", "/error", error),
    "W11": ("GET", "/big", big),
    "W12": ("GET", "/stream", stream),
    "W13": (
        "GET",
        "/a/b/c/hello",
        hooked(1, 4)(hooked(2, 4)(hooked(3, 4)(hello))),
    ),
}


def make(workload: str) -> ASGI:
    """The program of that workload on BlackSheep."""
    app = Application(router=Router())
    if workload == "W10":
        for n in range(ROUTES):
            if n % 2:
                app.router.add_get(f"/section{n}/item/{{int:id}}", item)
            else:
                app.router.add_get(f"/section{n}/list", listing)
    else:
        app.router.add(*VIEWS[workload])
    if workload == "W3":
        for n in range(3):
            app.middlewares.append(hooks(n, 3))
    elif workload == "W7":
        app.use_sessions(SECRET)
    elif workload == "W13":
        app.middlewares.append(hooks(0, 4))
    return ASGI(app)
