"""The workloads as a wheezy.web program."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable
from hashlib import sha1
from typing import Any

from wheezy.http import HTTPCookie
from wheezy.http import HTTPResponse
from wheezy.http import internal_error
from wheezy.http import json_response
from wheezy.http import WSGIApplication
from wheezy.routing import url
from wheezy.security.crypto import Ticket
from wheezy.web.middleware import bootstrap_defaults
from wheezy.web.middleware import path_routing_middleware_factory

from ..workloads import BIG
from ..workloads import HELLO
from ..workloads import hits
from ..workloads import ROUTES
from ..workloads import SECRET
from ..workloads import Unsupported
from ..workloads import USER
from ..workloads import WSGIApp

Handler = Callable[[Any], Any]
log = logging.getLogger("bench.wheezy")
log.disabled = True


def text(body: str) -> Any:
    response = HTTPResponse()
    response.write(body)
    return response


def hello(request: Any) -> Any:
    return text(HELLO)


def user(request: Any) -> Any:
    return json_response(USER | {"id": int(request.environ["route_args"]["id"])})


def search(request: Any) -> Any:
    return text(
        f"{request.get_param('q')}|{request.environ['HTTP_ACCEPT_LANGUAGE']}"
        f"|{request.cookies['theme']}"
    )


def echo(request: Any) -> Any:
    return json_response(request.form)


def form(request: Any) -> Any:
    got = request.form
    return text(f"{got['name'][-1]}|{got['email'][-1]}|{got['message'][-1]}")


def signed(secret: str) -> Any:
    """What wheezy.web signs its own cookies with, as it is without a cipher."""
    with warnings.catch_warnings():  # that there is none
        warnings.simplefilter("ignore", UserWarning)
        options = {"CRYPTO_VALIDATION_KEY": secret}
        return Ticket(2678400, digestmod=sha1, cypher=None, options=options)


ticket = signed(SECRET)


def count(request: Any) -> Any:
    """wheezy.web has no session; this is how it keeps the principal in a cookie."""
    value, _ = ticket.decode(request.cookies.get("session", ""))
    session = json.loads(value) if value else {}
    session["n"] = session.get("n", 0) + 1
    response = text(str(session["n"]))
    value = ticket.encode(json.dumps(session))
    options = request.options
    cookie = HTTPCookie("session", value=value, httponly=True, options=options)
    response.cookies.append(cookie)
    return response


def error(request: Any) -> Any:
    raise ValueError("no")


def listing(request: Any) -> Any:
    return text("list")


def item(request: Any) -> Any:
    return text(str(int(request.environ["route_args"]["id"])))


def big(request: Any) -> Any:
    response = HTTPResponse("application/octet-stream")
    response.write_bytes(BIG)
    return response


def hooks(first: int, levels: int) -> Callable[[Any], Any]:
    """One before, after and teardown hook as a middleware factory."""

    def middleware(request: Any, following: Handler) -> Any:
        hits[first] += 1
        try:
            response = following(request)
            hits[first + levels] += 1
            return response
        finally:
            hits[first + 2 * levels] += 1

    return lambda options: middleware


def hooked(handler: Handler, first: int, levels: int) -> Handler:
    """The hooks of one level of nested URLs, around a handler."""
    middleware = hooks(first, levels)({})
    return lambda request: middleware(request, handler)


def errors(options: Any) -> Any:
    """Middleware factory: an exception is logged and answered with a 500."""

    def middleware(request: Any, following: Handler) -> Any:
        try:
            return following(request)
        except Exception:
            log.exception("Exception on %s", request.environ["PATH_INFO"])
            return internal_error()

    return middleware


URLS: dict[str, list[Any]] = {
    "W1": [url("", hello)],
    "W2": [url("users/{id:int}", user)],
    "W3": [url("", hello)],
    "W4": [url("search", search)],
    "W5": [url("echo", echo)],
    "W6": [url("form", form)],
    "W7": [url("count", count)],
    "W8": [url("", hello)],
    "W9": [url("error", error)],
    "W10": [
        url(f"section{n}/item/{{id:int}}", item, name=f"item{n}")
        if n % 2
        else url(f"section{n}/list", listing, name=f"list{n}")
        for n in range(ROUTES)
    ],
    "W11": [url("big", big)],
    "W13": [
        (
            "a/",
            [("b/", [url("c/hello", hooked(hooked(hooked(hello, 3, 4), 2, 4), 1, 4))])],
        )
    ],
}


def make(workload: str) -> WSGIApp:
    """The program of that workload on wheezy.web."""
    if workload not in URLS:
        raise Unsupported(
            "wheezy.web sends no response before all of it is there and counted"
        )
    middleware: list[Any] = [bootstrap_defaults(URLS[workload])]
    if workload == "W3":
        middleware += [hooks(n, 3) for n in range(3)]
    elif workload == "W9":
        middleware.append(errors)
    elif workload == "W13":
        middleware.append(hooks(0, 4))
    options = {"render_template": None, "ticket": None}
    app: WSGIApp = WSGIApplication(
        [*middleware, path_routing_middleware_factory], options
    )
    return app
