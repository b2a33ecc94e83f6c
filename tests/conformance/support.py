"""A WSGI server small enough to see everything an application does to it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import typing as t
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator

from werkzeug.datastructures import Headers
from werkzeug.test import create_environ

Environ = dict[str, t.Any]


@dataclasses.dataclass
class Answer:
    """What a client got: status line, headers and body."""

    status_line: str
    headers: Headers
    body: bytes

    @property
    def status(self) -> int:
        return int(self.status_line.split(" ", 1)[0])

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> t.Any:
        return json.loads(self.body)


def environ(path: str = "/", method: str = "GET", **kwargs: t.Any) -> Environ:
    """A WSGI environ as a server would make it; `kwargs` as for EnvironBuilder."""
    made: Environ = create_environ(path, method=method, **kwargs)
    return made


class Server:
    """Calls a WSGI application once and keeps what it did, step by step."""

    def __init__(self, app: t.Any, env: Environ) -> None:
        self.started: list[tuple[str, list[tuple[str, str]]]] = []
        self.written: list[bytes] = []
        self.iterable: Iterable[bytes] = app(env, self.start_response)

    def start_response(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: t.Any = None,
    ) -> Callable[[bytes], object]:
        assert type(status) is str
        assert type(headers) is list

        for name, value in headers:
            assert type(name) is str and type(value) is str
            assert not set(name + value) & {"\r", "\n", "\0"}

        assert not self.started or exc_info is not None
        self.started = [(status, list(headers))]
        return self.written.append

    def close(self) -> None:
        close = getattr(self.iterable, "close", None)

        if close is not None:
            close()

    def answer(self) -> Answer:
        """Send the whole body, close, and return what the client has got."""
        try:
            body = b"".join([*self.written, *self.iterable])
        finally:
            self.close()

        ((status, headers),) = self.started
        return Answer(status, Headers(headers), body)


def call(
    app: t.Any,
    path: str = "/",
    method: str = "GET",
    *,
    env: Environ | None = None,
    **kwargs: t.Any,
) -> Answer:
    """Serve one request on the WSGI interface alone."""
    return Server(app, environ(path, method, **kwargs) if env is None else env).answer()


@contextlib.contextmanager
def listen(
    signal: t.Any, app: t.Any, receiver: Callable[..., t.Any]
) -> Iterator[Callable[..., t.Any]]:
    """Connect `receiver` to `signal` of `app` for the length of the block."""
    signal.connect(receiver, app, weak=False)

    try:
        yield receiver
    finally:
        signal.disconnect(receiver, app)
