"""A client that calls an application without a server, for tests."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from contextlib import AbstractContextManager
from contextlib import contextmanager
from contextlib import ExitStack
from copy import copy
from functools import cache
from types import TracebackType
from typing import Any
from typing import cast
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import werkzeug.test
from werkzeug.wrappers import Request as WerkzeugRequest

from . import errors
from .config import check

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from werkzeug.test import TestResponse

    from .app import App
    from .sessions import SessionMixin


@cache
def _user_agent() -> str:
    return f"Werkzeug/{importlib.metadata.version('werkzeug')}"


class EnvironBuilder(werkzeug.test.EnvironBuilder):
    """Werkzeug's EnvironBuilder with defaults from an application.

    :param app: the application.
    :param path: the URL or its path.
    :param base_url: the URL that *path* is relative to; by default it is made of
        ``PREFERRED_URL_SCHEME``, ``SERVER_NAME`` and ``APPLICATION_ROOT``.
    :param subdomain: put before ``SERVER_NAME``.
    :param url_scheme: instead of ``PREFERRED_URL_SCHEME``.
    :param args: for Werkzeug's class, as are *kwargs*. ``json=`` is serialized by
        ``app.json``.
    :raises AssertionError: for *base_url* together with *subdomain* or *url_scheme*.
    """

    def __init__(
        self,
        app: App,
        path: str = "/",
        base_url: str | None = None,
        subdomain: str | None = None,
        url_scheme: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        if base_url is not None and (subdomain or url_scheme):
            raise AssertionError(
                'Cannot pass "subdomain" or "url_scheme" with "base_url".'
            )
        if base_url is None:
            config = app.config
            check(config, "SERVER_NAME", "APPLICATION_ROOT")
            url = urlsplit(path)
            host = config.get("SERVER_NAME") or "localhost"
            if subdomain:
                host = f"{subdomain}.{host}"
            scheme = url.scheme or url_scheme or config["PREFERRED_URL_SCHEME"]
            root = config["APPLICATION_ROOT"].lstrip("/")
            base_url = f"{scheme}://{url.netloc or host}/{root}"
            path = f"{url.path}?{url.query}" if url.query else url.path
        self.app = app
        super().__init__(path, base_url, *args, **kwargs)

    def json_dumps(self, obj: Any, **kwargs: Any) -> str:
        """*obj* as JSON, by the application's provider."""
        return self.app.json.dumps(obj, **kwargs)


class FlaskClient(werkzeug.test.Client):
    """Werkzeug's test client, which also knows the application's contexts.

    In ``with client:`` the context of the last request stays current until the next
    request or the end of the block, so that a test can look at ``request``,
    ``session`` and ``g`` (rule 16). :attr:`environ_base` has the environ's defaults.
    """

    application: App

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.preserve_context = False
        self.environ_base: WSGIEnvironment = {
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_USER_AGENT": _user_agent(),
        }
        self._new_contexts: list[AbstractContextManager[Any]] = []
        self._context_stack = ExitStack()

    @contextmanager
    def session_transaction(self, *args: Any, **kwargs: Any) -> Iterator[SessionMixin]:
        """Open the client's session, for reading and changing; it is saved at the end.

        ::

            with client.session_transaction() as session:
                session["user_id"] = 42

        :param args: for ``app.test_request_context``, as are *kwargs*.
        :raises TypeError: if the client keeps no cookies.
        :raises RuntimeError: if the session interface opens no session.
        """
        if self._cookies is None:
            raise TypeError(
                "Cookies are disabled. Create a client with 'use_cookies=True'."
            )
        app = self.application
        interface = app.session_interface
        ctx = app.test_request_context(*args, **kwargs)
        self._add_cookies_to_wsgi(ctx.request.environ)
        with ctx:
            session = interface.open_session(app, ctx.request)
        if session is None:
            raise RuntimeError(
                "Session backend did not open a session. Is SECRET_KEY set?"
            )
        yield session
        if interface.is_null_session(session):
            return
        response = app.response_class()
        with ctx:
            interface.save_session(app, session, response)
        self._update_cookies_from_response(
            ctx.request.host.partition(":")[0],
            ctx.request.path,
            response.headers.getlist("Set-Cookie"),
        )

    def _copy_environ(self, other: WSGIEnvironment) -> WSGIEnvironment:
        environ = {**self.environ_base, **other}
        if self.preserve_context:
            environ["werkzeug.debug.preserve_context"] = self._new_contexts.append
        return environ

    def _request_from_builder_args(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> WerkzeugRequest:
        kwargs["environ_base"] = self._copy_environ(kwargs.get("environ_base", {}))
        builder = EnvironBuilder(self.application, *args, **kwargs)
        try:
            return builder.get_request()
        finally:
            builder.close()

    def open(
        self,
        *args: Any,
        buffered: bool = False,
        follow_redirects: bool = False,
        **kwargs: Any,
    ) -> TestResponse:
        """Make a request. The methods ``get``, ``post``, … call this.

        :param args: an EnvironBuilder, environ or request; or arguments for
            :class:`EnvironBuilder`, as are *kwargs*.
        :param buffered: read the whole response and close it.
        :param follow_redirects: make further requests until one does not redirect.
        """
        first = args[0] if args else None
        if isinstance(first, werkzeug.test.EnvironBuilder):
            builder = copy(first)
            builder.environ_base = self._copy_environ(
                cast("WSGIEnvironment", builder.environ_base or {})
            )
            request = builder.get_request()
        elif isinstance(first, dict):
            request = EnvironBuilder.from_environ(
                first, app=self.application, environ_base=self._copy_environ({})
            ).get_request()
        elif isinstance(first, WerkzeugRequest):
            request = copy(first)
            request.environ = self._copy_environ(request.environ)
        else:
            request = self._request_from_builder_args(args, kwargs)

        # A context is kept for one request: not over redirects, nor into the next.
        self._context_stack.close()
        try:
            response = super().open(
                request, buffered=buffered, follow_redirects=follow_redirects
            )
            response.json_module = cast(Any, self.application.json)
            for ctx in self._new_contexts:
                self._context_stack.enter_context(ctx)
        finally:
            # A request that raised is not looked at, neither now nor after the next.
            self._new_contexts.clear()
        return response

    def __enter__(self) -> FlaskClient:
        if self.preserve_context:
            raise RuntimeError("Cannot nest client invocations")
        self.preserve_context = True
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.preserve_context = False
        self._context_stack.close()


Client = FlaskClient
"""The same under the name that Werkzeug's has."""

__getattr__ = errors.module_getattr(__name__, {"FlaskCliRunner": errors.CLI})
