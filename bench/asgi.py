"""An ASGI application called in process: one event loop, no sockets, no real waiting.

The requests of a batch run one after the other in one task of a running loop. What the
driver itself costs is small and can be stated: a copy of the scope, an object whose
bound methods are ``receive`` and ``send``, and the coroutines these return. A real ASGI
server makes a task for each request on top of it.
"""

from __future__ import annotations

import asyncio
import atexit
import time
from collections.abc import Awaitable
from collections.abc import Callable
from functools import cache
from typing import Any
from typing import TypeAlias

Scope: TypeAlias = dict[str, Any]
Message: TypeAlias = dict[str, Any]
ASGIApp: TypeAlias = Callable[..., Awaitable[None]]

LIMIT = 10.0  #: seconds that an application may take to start, or to answer


#: The lifespans of the applications, which wait for a shutdown until the loop ends.
_lifespans: set[asyncio.Future[None]] = set()


@cache
def _runner() -> asyncio.Runner:
    """The loop on which all applications run; it leaves the thread's own alone."""
    runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
    atexit.register(runner.close)
    return runner


def scope_of(environ: dict[str, Any]) -> Scope:
    """The HTTP scope of the request that *environ* describes (ASGI 3.0)."""
    headers = [
        (key[5:].replace("_", "-").lower().encode("latin-1"), value.encode("latin-1"))
        for key, value in environ.items()
        if key.startswith("HTTP_")
    ]
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if key in environ:
            name = key.replace("_", "-").lower().encode()
            headers.append((name, environ[key].encode("latin-1")))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "server": (environ["SERVER_NAME"], int(environ["SERVER_PORT"])),
        "client": (environ["REMOTE_ADDR"], int(environ["REMOTE_PORT"])),
        "scheme": environ["wsgi.url_scheme"],
        "method": environ["REQUEST_METHOD"],
        "root_path": environ["SCRIPT_NAME"],
        "path": environ["PATH_INFO"],
        "raw_path": environ["RAW_URI"].encode("latin-1"),
        "query_string": environ["QUERY_STRING"].encode("latin-1"),
        "headers": headers,
    }


class _Exchange:
    """One request's ``receive`` and ``send``; what is sent is thrown away.

    As from a server, a ``receive`` after the request's body waits for the end of the
    response, and is then told that the client has gone: Quart waits for that.
    """

    __slots__ = ("complete", "payload", "received", "waiting")

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self.received = False
        self.complete = False
        self.waiting: asyncio.Future[None] | None = None

    async def receive(self) -> Message:
        if not self.received:
            self.received = True
            return {"type": "http.request", "body": self.payload, "more_body": False}
        if not self.complete:
            self.waiting = asyncio.get_running_loop().create_future()
            await self.waiting
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self.complete = True
            if self.waiting is not None and not self.waiting.done():
                self.waiting.set_result(None)


class _Recorded(_Exchange):
    """One that keeps what is sent."""

    __slots__ = ("messages",)

    def __init__(self, payload: bytes) -> None:
        super().__init__(payload)
        self.messages: list[Message] = []

    async def send(self, message: Message) -> None:
        self.messages.append(message)
        await super().send(message)


class ASGI:
    """*app*, started; ``ask`` sends one request, ``drive`` times many.

    *raises*: the application raises again what its view raised, once the 500 is sent,
    for the server to log. The driver takes it as a server would, in silence.
    """

    def __init__(self, app: ASGIApp, *, raises: bool = False) -> None:
        self.app = app
        self.raises = raises
        _runner().run(self._start())

    async def _start(self) -> None:
        """The lifespan protocol's startup. Its task stays, waiting for a shutdown."""
        started: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        asked = False

        async def receive() -> Message:
            nonlocal asked
            if asked:
                await asyncio.get_running_loop().create_future()
            asked = True
            return {"type": "lifespan.startup"}

        async def send(message: Message) -> None:
            if not started.done():
                started.set_result(message)

        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        task = asyncio.ensure_future(self.app(scope, receive, send))
        either: set[asyncio.Future[Any]] = {task, started}
        await asyncio.wait(either, timeout=LIMIT, return_when=asyncio.FIRST_COMPLETED)
        if not started.done():
            if task.done():
                task.result()
            task.cancel()
            raise RuntimeError(f"the application did not start in {LIMIT:.0f} s")
        message = started.result()
        if message["type"] != "lifespan.startup.complete":
            raise RuntimeError(f"the application did not start: {message}")
        _lifespans.add(task)

    def ask(
        self, environ: dict[str, Any], payload: bytes
    ) -> tuple[int, list[tuple[str, str]], list[bytes]]:
        """Status, headers with lower-case names, and the parts of the body."""
        exchange = _Recorded(payload)

        async def once() -> None:
            try:
                async with asyncio.timeout(LIMIT):
                    await self.app(scope_of(environ), exchange.receive, exchange.send)
            except Exception:
                if not (self.raises and exchange.complete):
                    raise

        _runner().run(once())
        if not exchange.complete:
            raise RuntimeError(f"not a whole response: {exchange.messages!r:.200}")
        start, *parts = exchange.messages
        headers = [
            (key.decode("latin-1").lower(), value.decode("latin-1"))
            for key, value in start["headers"]
        ]
        return start["status"], headers, [part.get("body", b"") for part in parts]

    def drive(
        self, environ: dict[str, Any], payload: bytes | None, count: int
    ) -> float:
        """Seconds for *count* requests, without the loop's own start and end."""
        app = self.app
        copy = scope_of(environ).copy
        body = payload or b""
        clock = time.perf_counter

        async def batch() -> float:
            start = clock()
            for _ in range(count):
                exchange = _Exchange(body)
                try:
                    await app(copy(), exchange.receive, exchange.send)
                except Exception:
                    if not (self.raises and exchange.complete):
                        raise
            return clock() - start

        return _runner().run(batch())


async def bare(scope: Scope, receive: Any, send: Any) -> None:
    """The least an application can do: what the driver costs shows on it."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        return
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})
