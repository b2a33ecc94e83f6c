"""Sessions: signed cookies by default, and the interface for other stores."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from collections.abc import MutableMapping
from datetime import datetime
from datetime import UTC
from functools import lru_cache
from time import time
from typing import Any
from typing import ClassVar
from typing import NoReturn
from typing import TYPE_CHECKING

from werkzeug.datastructures import CallbackDict
from werkzeug.http import http_date

from .engine import compiled
from .tag import TaggedJSONSerializer
from .wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from itsdangerous import URLSafeTimedSerializer

    from .app import App
    from .engine.plan import SessionCookies
    from .wrappers import Request


class SessionMixin(MutableMapping[str, Any]):
    """What a session has beyond a dict."""

    @property
    def permanent(self) -> bool:
        """Whether it outlives the browser session; kept in the item ``_permanent``."""
        return self.get("_permanent", False)  # type: ignore[no-any-return]

    @permanent.setter
    def permanent(self, value: bool) -> None:
        self["_permanent"] = bool(value)

    new = False
    """Whether it was just created, for classes that know."""

    modified = True
    """Whether it was changed; a class that cannot tell leaves it True."""

    accessed = False
    """Whether it was looked at in any way: ``Vary: Cookie`` is due (rule 48). Set when
    ``session`` is used."""


def _mark_modified(session: SecureCookieSession) -> None:
    session.modified = True


class SecureCookieSession(  # pyright: ignore[reportIncompatibleMethodOverride]
    CallbackDict[str, Any], SessionMixin
):
    """The session that is kept in a signed cookie.

    Only changes of the session itself are noticed: after a change inside one of its
    values set :attr:`modified`.
    """

    modified = False

    def __init__(self, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(initial, _mark_modified)


class NullSession(SecureCookieSession):
    """The session when there can be none: empty, and an error when it is changed."""

    def _fail(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(
            "The session is unavailable because no secret key was set. Set the"
            " secret_key on the application to something unique and secret."
        )

    __setitem__ = __delitem__ = clear = pop = popitem = update = setdefault = _fail
    __ior__ = _fail
    del _fail


class SessionInterface:
    """How sessions are opened and saved: subclass it, set ``app.session_interface``.

    A subclass has to provide :meth:`open_session` and :meth:`save_session`. What it
    opens is a mutable mapping with the attributes of :class:`SessionMixin`. Requests
    with the same session may run at the same time, in any order.
    """

    null_session_class: type[Any] = NullSession
    """What :meth:`make_null_session` makes and :meth:`is_null_session` recognises."""

    pickle_based = False
    """Whether sessions are pickled, for extensions that want to know."""

    opens_on_first_use: bool = False
    """Whether a session may stay unopened until somebody looks at it.

    False: it is opened when the context is pushed and saved after each request, as
    Flask does. True: it is neither opened nor saved if nobody has looked and
    :meth:`needs_save_unopened` is False.
    """

    def make_null_session(self, app: App) -> Any:
        """Make what stands in for a session that could not be opened. Rule 5."""
        return self.null_session_class()

    def is_null_session(self, obj: object) -> bool:
        """Whether *obj* is such a session; it is not saved then. Rule 28."""
        return isinstance(obj, self.null_session_class)

    def get_cookie_name(self, app: App) -> str:
        """The cookie's name: ``SESSION_COOKIE_NAME``."""
        return app.config["SESSION_COOKIE_NAME"]  # type: ignore[no-any-return]

    def get_cookie_domain(self, app: App) -> str | None:
        """The cookie's domain: ``SESSION_COOKIE_DOMAIN``; None for the exact host."""
        return app.config["SESSION_COOKIE_DOMAIN"]  # type: ignore[no-any-return]

    def get_cookie_path(self, app: App) -> str:
        """The cookie's path: ``SESSION_COOKIE_PATH`` or ``APPLICATION_ROOT``."""
        config = app.config
        return config["SESSION_COOKIE_PATH"] or config["APPLICATION_ROOT"]  # type: ignore[no-any-return]

    def get_cookie_httponly(self, app: App) -> bool:
        """Whether scripts cannot read it: ``SESSION_COOKIE_HTTPONLY``."""
        return app.config["SESSION_COOKIE_HTTPONLY"]  # type: ignore[no-any-return]

    def get_cookie_secure(self, app: App) -> bool:
        """Whether it is for HTTPS only: ``SESSION_COOKIE_SECURE``."""
        return app.config["SESSION_COOKIE_SECURE"]  # type: ignore[no-any-return]

    def get_cookie_samesite(self, app: App) -> str | None:
        """'Strict', 'Lax', 'None' or None: ``SESSION_COOKIE_SAMESITE``."""
        return app.config["SESSION_COOKIE_SAMESITE"]  # type: ignore[no-any-return]

    def get_cookie_partitioned(self, app: App) -> bool:
        """Whether it is kept per top-level site: ``SESSION_COOKIE_PARTITIONED``."""
        return app.config["SESSION_COOKIE_PARTITIONED"]  # type: ignore[no-any-return]

    def get_expiration_time(self, app: App, session: SessionMixin) -> datetime | None:
        """When the cookie expires, in UTC; None: with the browser session."""
        if session.permanent:
            return datetime.now(UTC) + app.permanent_session_lifetime
        return None

    def should_set_cookie(self, app: App, session: SessionMixin) -> bool:
        """Whether the response is to set the cookie.

        It is when the session was modified, and when it is permanent and
        ``SESSION_REFRESH_EACH_REQUEST`` is on. Rule 49.
        """
        return session.modified or (
            session.permanent and app.config["SESSION_REFRESH_EACH_REQUEST"]
        )

    def needs_save_unopened(self, app: App, environ: WSGIEnvironment) -> bool:
        """Whether a session that nobody looked at must be opened and saved still.

        Asked only where :attr:`opens_on_first_use` is True and there are cookies.
        """
        return True

    def open_session(self, app: App, request: Request) -> Any:
        """Open the session of *request*; None if there can be none.

        Called once per context (rule 5). An error ends the request with a 500 (rule 7).
        """
        raise NotImplementedError()

    def save_session(self, app: App, session: Any, response: Response) -> None:
        """Save the session, at the end of the request and of ``after_request``.

        Rule 28.
        """
        raise NotImplementedError()


session_json_serializer = TaggedJSONSerializer()
"""The serializer of every session cookie, unless an interface has its own."""


_stock_sha1 = hashlib.sha1


def lazy_sha1(string: bytes = b"") -> Any:
    """SHA-1, looked up when it is used: a FIPS build of Python may lack it."""
    return hashlib.sha1(string)


_http_date = lru_cache(maxsize=8)(http_date)
_stock_get_expiration_time = SessionInterface.get_expiration_time
_stock_set_cookie = Response.set_cookie
_stock_max_cookie_size = Response.__dict__["max_cookie_size"]
_stock_vary = Response.vary


def _cookies_are_stock(response: Any) -> bool:
    """Whether setting a cookie on *response* is sure to only add a header."""
    cls = type(response)
    return (
        getattr(cls, "set_cookie", None) is _stock_set_cookie
        and getattr(cls, "max_cookie_size", None) is _stock_max_cookie_size
        and "set_cookie" not in response.__dict__
    )


def _vary_on_cookie(response: Response) -> None:
    from . import _cookies

    if type(response).vary is _stock_vary:
        _cookies.vary_on_cookie(response)
    else:
        response.vary.add("Cookie")


class SecureCookieSessionInterface(SessionInterface):
    """Keeps sessions in cookies signed by itsdangerous. Flask's are the same cookies.

    Clients can read such a session but not change it.
    """

    salt: str | bytes = "cookie-session"
    """Makes the signatures differ from others made with the same secret key."""

    digest_method = staticmethod(lazy_sha1)
    """The hash function of the signature."""

    key_derivation = "hmac"
    """How itsdangerous derives the signing key from secret key and salt."""

    serializer: Any = session_json_serializer
    """What turns a dict into text or bytes and back."""

    session_class: type[Any] = SecureCookieSession
    """What :meth:`open_session` makes."""

    opens_on_first_use = True

    # A subclass with one of these of its own may want to see every request.
    _EAGER: ClassVar[frozenset[str]] = frozenset(
        {
            "is_null_session",
            "make_null_session",
            "open_session",
            "save_session",
            "session_class",
            "should_set_cookie",
        }
    )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = cls.__dict__
        if "opens_on_first_use" not in own and not cls._EAGER.isdisjoint(own):
            cls.opens_on_first_use = False

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in self._EAGER:
            self.opens_on_first_use = False

    def get_signing_serializer(self, app: App) -> URLSafeTimedSerializer | None:
        """The serializer for *app*'s secret keys; None if it has none.

        The one in ``SECRET_KEY`` signs; those in ``SECRET_KEY_FALLBACKS`` only verify
        (rule 50).
        """
        secret_key = app.secret_key
        if not secret_key:
            return None
        from . import _cookies

        if not isinstance(secret_key, (str, bytes, bytearray)):
            raise TypeError(
                "SECRET_KEY must be str or bytes, not"
                f" {type(secret_key).__name__}: quote it where it is configured."
            )
        fallbacks = app.config["SECRET_KEY_FALLBACKS"]
        if isinstance(fallbacks, (str, bytes)):
            # Each of its characters would be a key.
            raise TypeError("SECRET_KEY_FALLBACKS must be a list of keys, not one key.")
        keys: Any = (*fallbacks, secret_key) if fallbacks else (secret_key,)
        if (
            self.digest_method is lazy_sha1
            and hashlib.sha1 is _stock_sha1
            and self.key_derivation == "hmac"
        ):
            try:
                return _cookies.cookie_serializer(keys, self.salt, self.serializer)
            except TypeError:
                # One of them cannot be hashed.
                pass
            except ValueError:
                # There is no SHA-1: itsdangerous says so when it is needed.
                pass
        return _cookies.URLSafeTimedSerializer(
            list(keys),
            salt=self.salt,
            serializer=self.serializer,
            signer_kwargs={
                "key_derivation": self.key_derivation,
                "digest_method": self.digest_method,
            },
        )

    def open_session(self, app: App, request: Request) -> Any:
        """The session in the request's cookie.

        It is empty if the cookie is missing, too old, or not one that *app* has signed;
        None if *app* has no secret key.
        """
        serializer = self.get_signing_serializer(app)
        if serializer is None:
            return None
        value = request.cookies.get(self.get_cookie_name(app))
        if not value:
            return self.session_class()
        from . import _cookies

        max_age = int(app.permanent_session_lifetime.total_seconds())
        try:
            data = serializer.loads(value, max_age=max_age)
        except (_cookies.BadData, ValueError, OverflowError, OSError):
            # The last three: signed at a time that no datetime can hold.
            return self.session_class()
        try:
            return self.session_class(data)
        except (TypeError, ValueError):
            if isinstance(data, Mapping):
                raise
            # Signed with this key, but for something else than a session.
            return self.session_class()

    def needs_save_unopened(self, app: App, environ: WSGIEnvironment) -> bool:
        """Whether there is a cookie that might have to be refreshed. Rule 49.

        PERF: a request that comes with a cookie and leaves the session alone takes 4.4
        instead of 10.9 us. The payload is looked at without verifying it; that decides
        nothing but that there is nothing to do.
        """
        if not app.config["SESSION_REFRESH_EACH_REQUEST"]:
            return False
        name = self.get_cookie_name(app)
        cookies = environ.get("HTTP_COOKIE", "")
        if name not in cookies:
            return not name.isascii()
        before, _, after = cookies.partition(f"{name}=")
        if (
            (before and before[-1] not in "; ")
            or '"' in cookies
            or name in before
            or name in after
        ):
            return True
        from . import _cookies

        serializer = self.get_signing_serializer(app)
        if (
            type(serializer) is not _cookies.CookieSerializer
            or type(serializer.serializer) is not TaggedJSONSerializer
            or not serializer.serializer.is_stock(app.json)
        ):
            return True
        # A payload that is compressed begins with a dot: nothing is before it.
        text = _cookies.from_payload(after.partition(";")[0].partition(".")[0])
        return not text or "_permanent" in text or "\\" in text

    def save_session(self, app: App, session: Any, response: Response) -> None:
        """Set or delete the cookie, where that is due. Rules 48 and 49."""
        from . import _cookies

        if session.accessed:
            _vary_on_cookie(response)
        name = self.get_cookie_name(app)
        domain = self.get_cookie_domain(app)
        path = self.get_cookie_path(app)
        secure = self.get_cookie_secure(app)
        partitioned = self.get_cookie_partitioned(app)
        samesite = self.get_cookie_samesite(app)
        httponly = self.get_cookie_httponly(app)
        if not session:
            if session.modified:
                response.delete_cookie(
                    name,
                    domain=domain,
                    path=path,
                    secure=secure,
                    partitioned=partitioned,
                    samesite=samesite,
                    httponly=httponly,
                )
                _vary_on_cookie(response)
            return
        if not self.should_set_cookie(app, session):
            return
        serializer = self.get_signing_serializer(app)
        assert serializer is not None
        value = serializer.dumps(dict(session))
        expires = self._expires(app, session)
        if type(serializer) is _cookies.CookieSerializer and _cookies_are_stock(
            response
        ):
            frame = _cookies.cookie_frame(
                *(name, domain, path, secure, partitioned, samesite, httponly),
                expires is not None,
            )
            header = f"{frame[0]}{value}{frame[1]}{expires or ''}{frame[2]}"
            max_size = app.config["MAX_COOKIE_SIZE"]
            if not max_size or len(header) <= max_size:
                response.headers.add("Set-Cookie", header)
                if not session.accessed:
                    _vary_on_cookie(response)
                return
        response.set_cookie(
            name,
            value,
            expires=expires,
            httponly=httponly,
            domain=domain,
            path=path,
            secure=secure,
            partitioned=partitioned,
            samesite=samesite,
        )
        _vary_on_cookie(response)

    def _expires(self, app: App, session: Any) -> str | None:
        """:meth:`get_expiration_time` as an HTTP date (RFC 9110)."""
        if (
            type(self).get_expiration_time is _stock_get_expiration_time
            and "get_expiration_time" not in self.__dict__
        ):
            if not session.permanent:
                return None
            lifetime = app.permanent_session_lifetime.total_seconds()
            return _http_date(int(time() + lifetime))
        expires = self.get_expiration_time(app, session)
        if expires is None or isinstance(expires, str):
            return expires
        return http_date(expires)


#: What an application has unless it sets another one.
stock_interface = SecureCookieSessionInterface()


def cookie_sessions(interface: SessionInterface) -> SessionCookies | None:
    """What reads and writes the cookies of *interface* in the engine; None if only
    *interface* knows how.

    PERF: None in the pure build. There it takes longer to see that nobody has patched
    anything than is saved: 58 instead of 47 us for a request.
    """
    if not compiled or type(interface) is not SecureCookieSessionInterface:
        return None
    from . import _cookies

    return _cookies.cookie_sessions(interface)
