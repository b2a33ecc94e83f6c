"""The workloads as a Django program.

Of the middleware that ``startproject`` puts into the settings only ``CommonMiddleware``
is there, which gives a response its length, and in W7 that of the sessions.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.http import JsonResponse
from django.http import StreamingHttpResponse
from django.urls import include
from django.urls import path

from ..workloads import BIG
from ..workloads import CHUNKS
from ..workloads import HELLO
from ..workloads import hits
from ..workloads import ROUTES
from ..workloads import SECRET
from ..workloads import TEXT
from ..workloads import USER
from ..workloads import WSGIApp

Handler = Callable[..., Any]
COMMON = "django.middleware.common.CommonMiddleware"

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    LOGGING_CONFIG=None,
    SECRET_KEY=SECRET,
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    USE_I18N=False,
)
django.setup()
logging.getLogger("django.request").disabled = True


def hello(request: Any) -> Any:
    return HttpResponse(HELLO)


def user(request: Any, id: int) -> Any:
    return JsonResponse(USER | {"id": id})


def search(request: Any) -> Any:
    return HttpResponse(
        f"{request.GET['q']}|{request.headers['Accept-Language']}"
        f"|{request.COOKIES['theme']}"
    )


def echo(request: Any) -> Any:
    return JsonResponse(json.loads(request.body))


def form(request: Any) -> Any:
    got = request.POST
    return HttpResponse(f"{got['name']}|{got['email']}|{got['message']}")


def count(request: Any) -> Any:
    session = request.session
    session["n"] = session.get("n", 0) + 1
    return HttpResponse(str(session["n"]))


def error(request: Any) -> Any:
    raise ValueError("no")


def listing(request: Any) -> Any:
    return HttpResponse("list")


def item(request: Any, id: int) -> Any:
    return HttpResponse(str(id))


def big(request: Any) -> Any:
    return HttpResponse(BIG, content_type="application/octet-stream")


def chunks() -> Iterator[bytes]:
    yield from CHUNKS


def stream(request: Any) -> Any:
    return StreamingHttpResponse(chunks(), content_type=TEXT)


def hooks(first: int, levels: int) -> Callable[[Handler], Handler]:
    """One before, after and teardown hook: a middleware, and a view decorator too."""

    def middleware(get_response: Handler) -> Handler:
        def respond(request: Any, *args: Any, **kwargs: Any) -> Any:
            hits[first] += 1
            try:
                response = get_response(request, *args, **kwargs)
                hits[first + levels] += 1
                return response
            finally:
                hits[first + 2 * levels] += 1

        return respond

    return middleware


# Django finds middleware by name.
first, second, third = (hooks(n, 3) for n in range(3))
outermost = hooks(0, 4)
# Middleware is the whole project's: what an included list of URLs adds, decorators do.
nested = hooks(1, 4)(hooks(2, 4)(hooks(3, 4)(hello)))

URLS: dict[str, list[Any]] = {
    "W1": [path("", hello)],
    "W2": [path("users/<int:id>", user)],
    "W3": [path("", hello)],
    "W4": [path("search", search)],
    "W5": [path("echo", echo)],
    "W6": [path("form", form)],
    "W7": [path("count", count)],
    "W8": [path("", hello)],
    "W9": [path("error", error)],
    "W10": [
        path(f"section{n}/item/<int:id>", item)
        if n % 2
        else path(f"section{n}/list", listing)
        for n in range(ROUTES)
    ],
    "W11": [path("big", big)],
    "W12": [path("stream", stream)],
    "W13": [
        path(
            "a/",
            include(
                [path("b/", include([path("c/", include([path("hello", nested)]))]))]
            ),
        )
    ],
}
MIDDLEWARE: dict[str, list[str]] = {
    "W3": [f"{__name__}.{name}" for name in ("first", "second", "third")],
    "W7": ["django.contrib.sessions.middleware.SessionMiddleware"],
    "W13": [f"{__name__}.outermost"],
}


def make(workload: str) -> WSGIApp:
    """The program of that workload on Django, which has one at a time in a process."""
    urls = ModuleType(f"bench.urls_{workload}")
    urls.urlpatterns = URLS[workload]  # type: ignore[attr-defined]
    settings.ROOT_URLCONF = urls
    settings.MIDDLEWARE = [COMMON, *MIDDLEWARE.get(workload, [])]
    app: WSGIApp = WSGIHandler()
    return app
