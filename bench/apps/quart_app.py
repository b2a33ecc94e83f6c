"""The workloads as a Quart program (ASGI): Flask's, with ``async`` and ``await``."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

from quart import Blueprint
from quart import jsonify
from quart import Quart
from quart import request
from quart import Response
from quart import session

from ..asgi import ASGI
from ..workloads import BIG
from ..workloads import CHUNKS
from ..workloads import HELLO
from ..workloads import hits
from ..workloads import ROUTES
from ..workloads import SECRET
from ..workloads import TEXT
from ..workloads import USER


def add_hooks(target: Any, first: int, levels: int) -> None:
    """One before, one after, one teardown hook that count at *first*, + *levels*, …."""

    @target.before_request
    async def before() -> None:
        hits[first] += 1

    @target.after_request
    async def after(response: Any) -> Any:
        hits[first + levels] += 1
        return response

    @target.teardown_request
    async def teardown(error: BaseException | None) -> None:
        hits[first + 2 * levels] += 1


async def hello() -> str:
    return HELLO


async def user(id: int) -> Any:
    return jsonify(USER | {"id": id})


async def search() -> str:
    return (
        f"{request.args['q']}|{request.headers['Accept-Language']}"
        f"|{request.cookies['theme']}"
    )


async def echo() -> Any:
    return jsonify(await request.get_json())


async def form() -> str:
    got = await request.form
    return f"{got['name']}|{got['email']}|{got['message']}"


async def count() -> str:
    session["n"] = session.get("n", 0) + 1
    return str(session["n"])


async def error() -> str:
    raise ValueError("no")


async def listing() -> str:
    return "list"


async def item(id: int) -> str:
    return str(id)


async def big() -> Any:
    return Response(BIG, mimetype="application/octet-stream")


async def chunks() -> AsyncIterator[bytes]:
    for chunk in CHUNKS:
        yield chunk


async def stream() -> Any:
    return Response(chunks(), content_type=TEXT)


VIEWS: dict[str, tuple[str, Any]] = {
    "W1": ("/", hello),
    "W2": ("/users/<int:id>", user),
    "W3": ("/", hello),
    "W4": ("/search", search),
    "W7": ("/count", count),
    "W8": ("/", hello),
    "W9": ("/error", error),
    "W11": ("/big", big),
    "W12": ("/stream", stream),
}


def make(workload: str) -> ASGI:
    """The program of that workload on Quart."""
    app = Quart("bench.apps", static_folder=None)
    if workload == "W7":
        app.secret_key = SECRET
    logging.getLogger("bench.apps").disabled = True
    app.logger.disabled = True
    if workload == "W3":
        for n in range(3):
            add_hooks(app, n, 3)
    if workload in VIEWS:
        path, view = VIEWS[workload]
        app.add_url_rule(path, view_func=view)
    elif workload == "W5":
        app.add_url_rule("/echo", view_func=echo, methods=["POST"])
    elif workload == "W6":
        app.add_url_rule("/form", view_func=form, methods=["POST"])
    elif workload == "W10":
        for n in range(ROUTES):
            if n % 2:
                app.add_url_rule(f"/section{n}/item/<int:id>", f"i{n}", item)
            else:
                app.add_url_rule(f"/section{n}/list", f"l{n}", listing)
    elif workload == "W13":
        a, b, c = (Blueprint(x, "bench.apps", url_prefix=f"/{x}") for x in "abc")
        for n, target in enumerate((app, a, b, c)):
            add_hooks(target, n, 4)
        c.add_url_rule("/hello", view_func=hello)
        b.register_blueprint(c)
        a.register_blueprint(b)
        app.register_blueprint(a)
    return ASGI(app)
