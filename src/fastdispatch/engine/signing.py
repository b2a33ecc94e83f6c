"""Session cookies: read and written as itsdangerous and Flask do, in fewer steps.

:class:`CookieSessions` opens and saves the session of a request where it is sure that
the interface's own methods would come to the same; where it is not, it says so and has
changed nothing that they would not change as well.
"""

from __future__ import annotations

import hmac
import zlib
from collections.abc import Callable
from datetime import datetime
from datetime import timedelta
from datetime import UTC
from functools import lru_cache
from json import JSONDecoder
from json import JSONEncoder
from operator import attrgetter
from typing import Any
from typing import TYPE_CHECKING

from werkzeug.datastructures import Headers
from werkzeug.http import dump_cookie
from werkzeug.http import http_date

from . import compiled
from .plan import SessionCookies

if TYPE_CHECKING or not compiled:
    from . import capi
    from . import cdicts
    from . import cjson
    from . import ctext

_compare_digest = hmac.compare_digest

# What json.loads scans with; (text, position) to (value, end). StopIteration: no JSON.
_scan: Any = getattr(JSONDecoder(), "scan_once")  # noqa: B009 # not in typeshed
_http_date: Any = lru_cache(maxsize=8)(http_date)


_UNSET: Any = object()

_encoders = {
    (ensure_ascii, sort_keys): JSONEncoder(
        ensure_ascii=ensure_ascii, sort_keys=sort_keys, separators=(",", ":")
    ).encode
    for ensure_ascii in (False, True)
    for sort_keys in (False, True)
}


class Proof:
    """Whether what was looked at is still what it was then, and nobody patched it."""

    def __init__(
        self,
        classes: dict[type, tuple[str, ...]],
        modules: tuple[tuple[Any, tuple[str, ...]], ...],
    ) -> None:
        """Look at some attributes of *classes*, and some names in *modules*."""
        self._classes = tuple(classes)
        owners: list[tuple[Any, tuple[str, ...]]] = [*classes.items(), *modules]
        self._readers = [
            # One name more, so that each reads a tuple.
            (attrgetter(names[0], *names), owner)
            for owner, names in owners
        ]
        self._facts = self._read()
        self._versions = 0
        self._globals = [
            (vars(module), name, vars(module)[name])
            for module, names in modules
            for name in names
        ]

    def _read(self) -> tuple[Any, ...]:
        facts: list[Any] = []
        for read, owner in self._readers:
            facts += read(owner)
        return tuple(facts)

    def holds(self) -> bool:
        """Whether nothing has changed since."""
        # Versions only grow, so their sum stays the same only if each of them does.
        total = 0
        for cls in self._classes:
            version = capi.type_version(cls)
            if version == 0:
                total = 0
                break
            total += version
        if total != 0 and total == self._versions:
            for names, name, value in self._globals:
                if cdicts.stored(names, name) is not value:
                    return False
            return True
        try:
            if not capi.identical(self._read(), self._facts):
                return False
        except AttributeError:
            return False
        self._versions = total
        return True


class CookieSigner:
    """itsdangerous's ``TimestampSigner`` with HMAC (RFC 2104), its keys derived once.

    What is unusual in a signed text, and every refusal, is left to itsdangerous.
    """

    def __init__(
        self,
        keys: list[bytes],
        digest_method: Callable[..., Any],
        get_timestamp: Callable[[], int],
    ) -> None:
        """Sign with the first of *keys*, which are derived; verify with all of them.

        :param digest_method: of the signature, as hashlib's constructors are.
        :param get_timestamp: says what time it is, in seconds.
        """
        # PERF: 0.5 us for a signature; 0.8 by a copy of an hmac object.
        self._macs = [_prepared(key, digest_method) for key in keys]
        self._get_timestamp = get_timestamp
        self._now: tuple[Any, str] = (-1, "")

    def _signature(self, mac: tuple[Any, Any], value: bytes) -> str:
        inner = mac[0].copy()
        inner.update(value)
        outer = mac[1].copy()
        outer.update(inner.digest())
        return ctext.to_base64(outer.digest())

    def _time(self) -> tuple[Any, str]:
        """The time in seconds, and as it stands in a cookie."""
        now = self._get_timestamp()
        known = self._now
        if known[0] != now:
            size = (now.bit_length() + 7) // 8
            known = (now, ctext.to_base64(now.to_bytes(size, "big")))
            self._now = known
        return known

    def sign(self, payload: str) -> str:
        """*payload*, which is ASCII, with time and signature."""
        value = f"{payload}.{self._time()[1]}"
        signature = self._signature(self._macs[0], value.encode("ascii"))
        return f"{value}.{signature}"

    def payload(self, signed: str, max_age: Any) -> str | None:
        """The payload of *signed* if it is surely valid; None if itsdangerous must say.

        :param max_age: in seconds; None: forever.
        """
        if not ctext.is_ascii(signed):
            return None
        stop = ctext.rfind_char(signed, ".", 0, len(signed))
        if stop < 0:
            return None
        dot = ctext.rfind_char(signed, ".", 0, stop)
        if dot < 0:
            return None
        value = signed[:stop].encode("ascii")
        signature = signed[stop + 1 :]
        for mac in self._macs:
            if _compare_digest(self._signature(mac, value), signature):
                break
        else:
            return None
        if max_age is not None:
            stamp = signed[dot + 1 : stop]
            now = self._time()
            if stamp == now[1]:
                age = 0
            else:
                signed_at = ctext.from_base64(stamp, 0)
                if signed_at is None or len(signed_at) > 8:
                    return None
                age = now[0] - int.from_bytes(signed_at, "big")
            if not 0 <= age <= max_age:
                return None
        return signed[:dot]


def _prepared(key: bytes, digest_method: Callable[..., Any]) -> tuple[Any, Any]:
    inner = digest_method()
    outer = digest_method()
    size: int = inner.block_size
    if len(key) > size:
        key = digest_method(key).digest()
    key = key.ljust(size, b"\0")
    inner.update(bytes([byte ^ 0x36 for byte in key]))
    outer.update(bytes([byte ^ 0x5C for byte in key]))
    return inner, outer


def to_payload(data: bytes) -> str:
    """*data* as itsdangerous's ``URLSafeSerializer`` writes it: in base64, compressed
    if that is shorter."""
    if ctext.may_shrink(data):
        compressed = zlib.compress(data)
        if len(compressed) < len(data) - 1:
            return "." + ctext.to_base64(compressed)
    return ctext.to_base64(data)


def from_payload(payload: str) -> str | None:
    """The text that :func:`to_payload` was given; None if it is not sure of it.

    As itsdangerous does, it takes what is written otherwise for the same.
    """
    if payload[:1] == ".":
        data = ctext.from_base64(payload, 1)
        if data is not None:
            try:
                data = zlib.decompress(data)
            except zlib.error:
                return None
    else:
        data = ctext.from_base64(payload, 0)
    if data is None:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


_ATOMS = frozenset({str, int, float, bool, type(None)})


def is_untagged(value: Any, tags: Any, depth: int) -> bool:
    """Whether the stock tags leave *value* as it is, and it is plain JSON with string
    keys, nested no deeper than *depth*. False if that is not sure."""
    cls = type(value)
    if cls in _ATOMS:
        return True
    if depth == 0:
        return False
    if cls is dict:
        if len(value) == 1 and next(iter(value)) in tags:
            return False
        for key, item in value.items():
            if type(key) is not str or not is_untagged(item, tags, depth - 1):
                return False
        return True
    if cls is list:
        for item in value:
            if not is_untagged(item, tags, depth - 1):
                return False
        return True
    return False


def load_untagged(text: str) -> Any:
    """What JSON *text* stands for if there is no tag in it; NotImplemented if that is
    not sure."""
    if '" ' in text or "\\u0020" in text:
        # Every stock tag starts with a space.
        return NotImplemented
    try:
        value, end = _scan(text, 0)
    except (StopIteration, ValueError, RecursionError):
        return NotImplemented
    return value if end == len(text) else NotImplemented


@lru_cache(maxsize=32, typed=True)
def cookie_frame(
    name: str,
    domain: str | None,
    path: str,
    secure: bool,
    partitioned: bool,
    samesite: str | None,
    httponly: bool,
    expires: bool,
) -> tuple[str, str, str]:
    """What stands before, between and after value and expiry in a cookie header.

    PERF: setting the cookie takes 1.2 instead of 4.1 us.
    """
    header = dump_cookie(
        name,
        "",
        expires="*" if expires else None,
        domain=domain,
        path=path,
        secure=secure,
        partitioned=partitioned,
        samesite=samesite,
        httponly=httponly,
    )
    start = len(name.encode()) + 1
    before, mark, after = header[start:].partition("; Expires=*")
    return header[:start], before + mark[:-1], after


def vary_on_cookie(response: Any) -> None:
    """``response.vary.add("Cookie")``, for a response whose ``vary`` is Werkzeug's.

    PERF: 0.6 instead of 3.5 us.
    """
    headers = response.headers
    if type(headers) is Headers:
        listed = headers._list
        for item in listed:
            key = item[0]
            if len(key) == 4 and key.lower() == "vary":
                if item[1] == "Cookie":
                    return
                break
        else:
            listed.append(("Vary", "Cookie"))
            return
    response.vary.add("Cookie")


class _Keys:
    """The signer for some secret keys."""

    def __init__(self, secret: Any, fallbacks: tuple[Any, ...], signer: Any) -> None:
        self.secret = secret
        self.fallbacks = fallbacks
        self.signer = signer


class CookieSessions(SessionCookies):
    """What a stock interface for sessions in cookies does, for a host that has one.

    The interface is Flask's or of the same kind, with settings of its own at most.
    """

    def __init__(
        self,
        interface: Any,
        make_signer: Callable[[list[str | bytes]], Any],
        provider_classes: tuple[type, ...],
        stock_tags: list[type],
        stock_response: tuple[Any, ...],
        response_names: tuple[str, ...],
        proof: Proof,
    ) -> None:
        """Stand in for *interface* while *proof* holds.

        :param make_signer: makes a CookieSigner, or None, from secret keys, the one
            that signs last.
        :param provider_classes: those of ``app.json`` that write and read as json does.
        :param stock_tags: the classes of the tags that a serializer begins with.
        :param stock_response: the values of *response_names* on a class of responses
            that has Werkzeug's way of setting headers and cookies.
        :param response_names: see there.
        """
        serializer = interface.serializer
        self._interface = interface
        self._interface_class = type(interface)
        # Neither settings nor methods of another one may be put on it meanwhile.
        self._own = dict(vars(interface))
        self._session_class = interface.session_class
        self._serializer = serializer
        self._order: list[Any] | None = None
        self._tags: dict[str, Any] = {}
        if [type(tag) for tag in serializer.order] == stock_tags:
            self._order = list(serializer.order)
            self._tags = {tag.key: tag for tag in self._order if tag.key}
        self._make_signer = make_signer
        self._provider_classes = provider_classes
        self._stock_response = stock_response
        self._response_attributes = attrgetter(*response_names)
        self._proof = proof
        self._keys: _Keys | None = None
        # Each of these is replaced as a whole: other threads read it meanwhile.
        self._lifetime: tuple[Any, Any] = (_UNSET, None)
        self._frames: tuple[Any, Any, Any] = ((), None, None)
        self._response_version = 0

    def _signer(self, config: Any) -> Any:
        """The signer for the keys of *config*, or None."""
        secret = config["SECRET_KEY"]
        fallbacks = config["SECRET_KEY_FALLBACKS"]
        keys = self._keys
        if keys is not None and keys.secret is secret:
            if not fallbacks:
                if not keys.fallbacks:
                    return keys.signer
            elif type(fallbacks) is list and capi.identical(
                tuple(fallbacks), keys.fallbacks
            ):
                return keys.signer
        if (type(secret) is not str and type(secret) is not bytes) or not secret:
            return None
        listed = []
        if fallbacks:
            if type(fallbacks) is not list and type(fallbacks) is not tuple:
                return None
            for key in fallbacks:
                if type(key) is not str and type(key) is not bytes:
                    return None
                listed.append(key)
        signer = self._make_signer([*listed, secret])
        if signer is not None:
            self._keys = _Keys(secret, tuple(listed), signer)
        return signer

    def _holds(self) -> bool:
        interface = self._interface
        own = capi.instance_dict(interface)
        return (
            (own or {}) == self._own
            and type(interface) is self._interface_class
            and self._proof.holds()
        )

    def _has_stock_tags(self) -> bool:
        serializer = self._serializer
        if serializer.order != self._order:
            return False
        return bool(serializer.tags == self._tags)

    def open(self, app: Any, environ: Any, request: Any) -> Any:
        """The session of a request; None if the interface must open it.

        :param request: the request object if there is one already, or None.
        """
        if not self._holds():
            return None
        config = app.config
        signer = self._signer(config)
        if signer is None:
            return None
        name = config["SESSION_COOKIE_NAME"]
        if request is not None:
            value = request.cookies.get(name)
            if value is None:
                value = ""
        else:
            cookies = cdicts.table_get(environ, "HTTP_COOKIE")
            if type(name) is not str:
                value = None
            elif cookies is None:
                value = ""
            elif type(cookies) is str:
                value = ctext.find_cookie(cookies, name)
            else:
                value = None
        if type(value) is not str:
            return None
        if not value:
            return self._session_class()
        lifetime = config["PERMANENT_SESSION_LIFETIME"]
        known = self._lifetime
        if lifetime is not known[0]:
            known = (lifetime, int(app.permanent_session_lifetime.total_seconds()))
            if type(lifetime) is timedelta or type(lifetime) is int:
                self._lifetime = known
        payload = signer.payload(value, known[1])
        if payload is None:
            return None
        data = self._load(app, payload)
        if type(data) is not dict:
            return None
        return self._session_class(data)

    def _load(self, app: Any, payload: str) -> Any:
        """The data of *payload*; None if itsdangerous must say."""
        text = from_payload(payload)
        if text is None:
            return None
        if self._provider_is_stock(app.json) and self._has_stock_tags():
            data = load_untagged(text)
            if data is not NotImplemented:
                return data
        try:
            return self._serializer.loads(text)
        except Exception:
            # itsdangerous words the error.
            return None

    def _provider_is_stock(self, provider: Any) -> bool:
        if type(provider) not in self._provider_classes:
            return False
        own = capi.instance_dict(provider)
        return own is None or not ("dumps" in own or "loads" in own)

    def _dump(self, app: Any, session: Any) -> bytes | None:
        """The text of *session*; None if the interface must say."""
        provider = app.json
        value = dict(session)
        if (
            self._provider_is_stock(provider)
            and self._has_stock_tags()
            and is_untagged(value, self._tags, 50)
        ):
            ensure_ascii = provider.ensure_ascii
            sort_keys = provider.sort_keys
            if type(ensure_ascii) is bool and type(sort_keys) is bool:
                data = cjson.write(value, sort_keys, ensure_ascii, False, False)
                if data is None:
                    data = _encoders[ensure_ascii, sort_keys](value).encode()
                return data
        text = self._serializer.dumps(value)
        return text.encode() if type(text) is str else None

    def owes_nothing(self, app: Any, environ: Any) -> bool:
        """Whether a session that nobody looked at surely needs no saving.

        PERF: a request that comes with a cookie and leaves the session alone takes 4.4
        instead of 10.9 us. The payload is looked at without verifying it; that decides
        nothing but that there is nothing to do.
        """
        config = app.config
        cookies = cdicts.table_get(environ, "HTTP_COOKIE")
        name = config.get("SESSION_COOKIE_NAME")
        if type(cookies) is not str or type(name) is not str or not self._holds():
            return False
        value = ctext.find_cookie(cookies, name)
        if value is None:
            return False
        if not value:
            return True
        if (
            self._signer(config) is None
            or not self._provider_is_stock(app.json)
            or not self._has_stock_tags()
        ):
            return False
        # A payload that is compressed begins with a dot: nothing is before it.
        stop = ctext.find_char(value, ".", 0, len(value))
        text = None if stop <= 0 else from_payload(value[:stop])
        return (
            text is not None
            and text[:1] == "{"
            and "_permanent" not in text
            and '" ' not in text
            and "\\" not in text
        )

    def save(self, app: Any, session: Any, response: Any) -> bool:
        """Set the cookie of *session* where that is due. Rules 48 and 49.

        :return: False if the interface must save it.
        """
        if (
            type(session) is not self._session_class
            or not self._response_is_stock(response)
            or not self._holds()
        ):
            return False
        config = app.config
        name = config["SESSION_COOKIE_NAME"]
        domain = config["SESSION_COOKIE_DOMAIN"]
        path = config["SESSION_COOKIE_PATH"] or config["APPLICATION_ROOT"]
        secure = config["SESSION_COOKIE_SECURE"]
        partitioned = config["SESSION_COOKIE_PARTITIONED"]
        samesite = config["SESSION_COOKIE_SAMESITE"]
        httponly = config["SESSION_COOKIE_HTTPONLY"]
        modified = session.modified
        permanent = False
        if session:
            permanent = bool(cdicts.stored(session, "_permanent"))
            if not modified:
                modified = permanent and config["SESSION_REFRESH_EACH_REQUEST"]
        elif modified:
            return False
        if session.accessed:
            vary_on_cookie(response)
        if not modified:
            return True
        signer = self._signer(config)
        if signer is None:
            return False
        expires = None
        if permanent:
            expires = self._interface.get_expiration_time(app, session)
            if type(expires) is not datetime or expires.tzinfo is not UTC:
                return False
            expires = _http_date(expires.replace(microsecond=0))
        settings = (name, domain, path, secure, partitioned, samesite, httponly)
        frame = self._frame_of(settings, expires is not None)
        if frame is None:
            return False
        data = self._dump(app, session)
        if data is None:
            return False
        value = signer.sign(to_payload(data))
        if expires is None:
            header = f"{frame[0]}{value}{frame[1]}"
        else:
            header = f"{frame[0]}{value}{frame[1]}{expires}{frame[2]}"
        limit = config["MAX_COOKIE_SIZE"]
        if limit and len(header) > limit:
            # Werkzeug warns.
            return False
        response.headers._list.append(("Set-Cookie", header))
        vary_on_cookie(response)
        return True

    def _frame_of(self, settings: tuple[Any, ...], expires: bool) -> Any:
        """The frame of the cookie; None where Werkzeug must say what is wrong."""
        frames = self._frames
        if not capi.identical(frames[0], settings):
            try:
                frames = (
                    settings,
                    cookie_frame(*settings, False),
                    cookie_frame(*settings, True),
                )
            except Exception:
                return None
            text = "".join(frames[1])
            if "\n" in text or "\r" in text:
                return None
            self._frames = frames
        return frames[2] if expires else frames[1]

    def _response_is_stock(self, response: Any) -> bool:
        """Whether setting a cookie on *response* is sure to only add a header."""
        cls = type(response)
        version = capi.type_version(cls)
        if version == 0 or version != self._response_version:
            try:
                found = self._response_attributes(cls)
            except AttributeError:
                return False
            if not capi.identical(found, self._stock_response):
                return False
            self._response_version = capi.type_version(cls)
        own = capi.instance_dict(response)
        if own is not None and "set_cookie" in own:
            return False
        return type(response.headers) is Headers
