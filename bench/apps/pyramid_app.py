"""The workloads as a Pyramid program."""

from __future__ import annotations

import logging
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

from pyramid.config import Configurator
from pyramid.response import Response
from pyramid.session import SignedCookieSessionFactory

from ..workloads import BIG
from ..workloads import CHUNKS
from ..workloads import HELLO
from ..workloads import hits
from ..workloads import ROUTES
from ..workloads import SECRET
from ..workloads import USER
from ..workloads import WSGIApp

View = Callable[[Any, Any], Any]
log = logging.getLogger("bench.pyramid")
log.disabled = True


def hello(request: Any) -> Any:
    return Response(HELLO)


def user(request: Any) -> Any:
    return USER | {"id": int(request.matchdict["id"])}


def search(request: Any) -> Any:
    return Response(
        f"{request.GET['q']}|{request.headers['Accept-Language']}"
        f"|{request.cookies['theme']}"
    )


def echo(request: Any) -> Any:
    return request.json_body


def form(request: Any) -> Any:
    got = request.POST
    return Response(f"{got['name']}|{got['email']}|{got['message']}")


def count(request: Any) -> Any:
    session = request.session
    session["n"] = session.get("n", 0) + 1
    return Response(str(session["n"]))


def error(request: Any) -> Any:
    raise ValueError("no")


def failed(error: Exception, request: Any) -> Any:
    """The exception view: Pyramid itself leaves a view's exception to the server."""
    log.error("Exception on %s", request.path, exc_info=error)
    return Response("Internal Server Error", status=500)


def listing(request: Any) -> Any:
    return Response("list")


def item(request: Any) -> Any:
    return Response(str(int(request.matchdict["id"])))


def big(request: Any) -> Any:
    return Response(BIG, content_type="application/octet-stream")


def chunks() -> Iterator[bytes]:
    yield from CHUNKS


def stream(request: Any) -> Any:
    return Response(app_iter=chunks(), content_type="text/plain", charset="utf-8")


def hooks(first: int, levels: int) -> Callable[[Any, Any], Callable[[Any], Any]]:
    """A tween factory: one before, one after, one teardown hook."""

    def factory(handler: Callable[[Any], Any], registry: Any) -> Callable[[Any], Any]:
        def tween(request: Any) -> Any:
            hits[first] += 1
            try:
                response = handler(request)
                hits[first + levels] += 1
                return response
            finally:
                hits[first + 2 * levels] += 1

        return tween

    return factory


TWEENS = [hooks(n, 3) for n in range(3)]
OUTERMOST = hooks(0, 4)
first, second, third = TWEENS


def hooked(number: int, levels: int) -> Callable[[View], View]:
    """The hooks of one level of ``include``, as a view decorator."""

    def decorator(view: View) -> View:
        def wrapper(context: Any, request: Any) -> Any:
            hits[number] += 1
            try:
                response = view(context, request)
                hits[number + levels] += 1
                return response
            finally:
                hits[number + 2 * levels] += 1

        return wrapper

    return decorator


def level_a(config: Any) -> None:
    config.include(level_b, route_prefix="b")


def level_b(config: Any) -> None:
    config.include(level_c, route_prefix="c")


def level_c(config: Any) -> None:
    config.add_route("nested", "/hello")
    decorators = tuple(hooked(n, 4) for n in (1, 2, 3))
    config.add_view(hello, route_name="nested", decorator=decorators)


ROUTES_OF: dict[str, tuple[str, Callable[[Any], Any], dict[str, Any]]] = {
    "W1": ("/", hello, {}),
    "W2": (r"/users/{id:\d+}", user, {"renderer": "json"}),
    "W3": ("/", hello, {}),
    "W4": ("/search", search, {}),
    "W5": ("/echo", echo, {"renderer": "json", "request_method": "POST"}),
    "W6": ("/form", form, {"request_method": "POST"}),
    "W7": ("/count", count, {}),
    "W8": ("/", hello, {}),
    "W9": ("/error", error, {}),
    "W11": ("/big", big, {}),
    "W12": ("/stream", stream, {}),
}


def make(workload: str) -> WSGIApp:
    """The program of that workload on Pyramid."""
    config = Configurator()
    if workload == "W10":
        for n in range(ROUTES):
            if n % 2:
                config.add_route(f"i{n}", f"/section{n}/item/{{id:\\d+}}")
                config.add_view(item, route_name=f"i{n}")
            else:
                config.add_route(f"l{n}", f"/section{n}/list")
                config.add_view(listing, route_name=f"l{n}")
    elif workload == "W13":
        config.add_tween(f"{__name__}.OUTERMOST")
        config.include(level_a, route_prefix="a")
    else:
        path, view, options = ROUTES_OF[workload]
        config.add_route("view", path)
        config.add_view(view, route_name="view", **options)
    if workload == "W3":
        for name in ("first", "second", "third"):
            config.add_tween(f"{__name__}.{name}")
    elif workload == "W7":
        config.set_session_factory(SignedCookieSessionFactory(SECRET))
    elif workload == "W9":
        config.add_exception_view(failed, context=Exception)
    app: WSGIApp = config.make_wsgi_app()
    return app
