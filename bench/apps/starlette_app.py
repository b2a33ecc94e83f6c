"""The workloads as a Starlette program (ASGI)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.responses import JSONResponse
from starlette.responses import Response
from starlette.responses import StreamingResponse
from starlette.routing import BaseRoute
from starlette.routing import Mount
from starlette.routing import Route

from ..asgi import ASGI
from ..workloads import BIG
from ..workloads import CHUNKS
from ..workloads import HELLO
from ..workloads import hits
from ..workloads import ROUTES
from ..workloads import SECRET
from ..workloads import TEXT
from ..workloads import USER


async def hello(request: Request) -> Response:
    return HTMLResponse(HELLO)


async def user(request: Request) -> Response:
    return JSONResponse(USER | {"id": request.path_params["id"]})


async def search(request: Request) -> Response:
    return HTMLResponse(
        f"{request.query_params['q']}|{request.headers['Accept-Language']}"
        f"|{request.cookies['theme']}"
    )


async def echo(request: Request) -> Response:
    return JSONResponse(await request.json())


async def form(request: Request) -> Response:
    async with request.form() as got:
        return HTMLResponse(f"{got['name']}|{got['email']}|{got['message']}")


async def count(request: Request) -> Response:
    session = request.session
    session["n"] = session.get("n", 0) + 1
    return HTMLResponse(str(session["n"]))


async def error(request: Request) -> Response:
    raise ValueError("no")


async def listing(request: Request) -> Response:
    return HTMLResponse("list")


async def item(request: Request) -> Response:
    return HTMLResponse(str(request.path_params["id"]))


async def big(request: Request) -> Response:
    return Response(BIG, media_type="application/octet-stream")


async def chunks() -> AsyncIterator[bytes]:
    for chunk in CHUNKS:
        yield chunk


async def stream(request: Request) -> Response:
    return StreamingResponse(chunks(), media_type=TEXT)


class Hooks:
    """One before, after and teardown hook: middleware in pure ASGI, the quick kind."""

    def __init__(self, app: Any, first: int, levels: int) -> None:
        self.app = app
        self.first = first
        self.levels = levels

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def after(message: Any) -> None:
            if message["type"] == "http.response.start":
                hits[self.first + self.levels] += 1
            await send(message)

        hits[self.first] += 1
        try:
            await self.app(scope, receive, after)
        finally:
            hits[self.first + 2 * self.levels] += 1


def level(number: int, path: str, inside: BaseRoute) -> BaseRoute:
    """A mount with hooks of its own: Starlette's nested blueprint."""
    hooks = Middleware(Hooks, first=number, levels=4)
    return Mount(path, routes=[inside], middleware=[hooks])


PROGRAMS: dict[str, list[BaseRoute]] = {
    "W1": [Route("/", hello)],
    "W2": [Route("/users/{id:int}", user)],
    "W3": [Route("/", hello)],
    "W4": [Route("/search", search)],
    "W5": [Route("/echo", echo, methods=["POST"])],
    "W6": [Route("/form", form, methods=["POST"])],
    "W7": [Route("/count", count)],
    "W8": [Route("/", hello)],
    "W9": [Route("/error", error)],
    "W10": [
        Route(f"/section{n}/item/{{id:int}}", item)
        if n % 2
        else Route(f"/section{n}/list", listing)
        for n in range(ROUTES)
    ],
    "W11": [Route("/big", big)],
    "W12": [Route("/stream", stream)],
    "W13": [level(1, "/a", level(2, "/b", level(3, "/c", Route("/hello", hello))))],
}
MIDDLEWARE: dict[str, list[Middleware]] = {
    "W3": [Middleware(Hooks, first=n, levels=3) for n in range(3)],
    "W7": [Middleware(SessionMiddleware, secret_key=SECRET)],
    "W13": [Middleware(Hooks, first=0, levels=4)],
}


def make(workload: str) -> ASGI:
    """The program of that workload on Starlette."""
    app = Starlette(routes=PROGRAMS[workload], middleware=MIDDLEWARE.get(workload))
    return ASGI(app, raises=workload == "W9")
