"""Session cookies of accelerated Flask: the same as plain Flask's, byte for byte."""

from __future__ import annotations

import hashlib
import json
import sys
import typing as t
import warnings
import zlib
from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from datetime import UTC
from unittest import mock
from uuid import UUID

import flask
import flask.json.provider
import flask.json.tag
import flask.sessions
import itsdangerous
import pytest
from flask.sessions import SecureCookieSessionInterface
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous.encoding import base64_decode
from itsdangerous.encoding import base64_encode
from markupsafe import Markup
from werkzeug.datastructures import Headers
from werkzeug.http import parse_cookie
from werkzeug.test import EnvironBuilder

import fastdispatch
import fastdispatch.flask
from fastdispatch import _flask_sessions
from fastdispatch import _signing
from fastdispatch.engine import ctext
from fastdispatch.engine import signing

from .conftest import ACCELERATED
from .conftest import Host
from .conftest import PLAIN

NOW = 1_700_000_000
DATA: dict[str, t.Any] = {"user_id": 42, "name": "somebody", "ok": True, "no": None}
RICH: dict[str, t.Any] = {
    "all": ((1, ()), b"\xff\x00", Markup("<b>"), UUID(int=7), [{"a": (1,)}, []]),
    "tags": [{" t": [1]}, {" t__": 1}, {" di": {" b": b"x"}}, " t"],
    "when": datetime(2024, 2, 29, 12, 30, tzinfo=UTC),
}
LONG = {"text": "to be compressed " * 20}


@pytest.fixture(autouse=True)
def clock() -> Iterator[mock.Mock]:
    """What time it is, for itsdangerous and for the expiry of a cookie."""
    with frozen() as fake:
        yield fake


class frozen:  # noqa: N801
    def __enter__(self) -> mock.Mock:
        self.time = mock.patch("time.time", return_value=NOW)
        self.datetime = mock.patch("flask.sessions.datetime")
        fake = self.time.__enter__()
        self.datetime.__enter__().now.side_effect = lambda zone: datetime.fromtimestamp(
            fake.return_value, zone
        )
        return t.cast(mock.Mock, fake)

    def __exit__(self, *error: object) -> None:
        self.datetime.__exit__(None, None, None)
        self.time.__exit__(None, None, None)


def make(**config: t.Any) -> flask.Flask:
    app = flask.Flask("sessions")
    app.config.update({"SECRET_KEY": "new", **config})
    app.add_url_rule("/", "index", lambda: "x")
    return app


def environ_of(header: str | None) -> dict[str, t.Any]:
    builder = EnvironBuilder("/")
    try:
        environ = builder.get_environ()
    finally:
        builder.close()
    if header is not None:
        environ["HTTP_COOKIE"] = header
    return environ


def sessions_of(app: flask.Flask) -> signing.CookieSessions:
    sessions = _flask_sessions.cookie_sessions(app.session_interface)
    assert sessions is not None
    return sessions


def opened_by_engine(app: flask.Flask, header: str | None) -> t.Any:
    """The session, or None where the engine leaves it to Flask."""
    environ = environ_of(header)
    with app.request_context(environ_of(None)):
        return sessions_of(app).open(app, environ, None)


def opened_by_flask(app: flask.Flask, header: str | None) -> t.Any:
    request = app.request_class(environ_of(header))
    with app.request_context(environ_of(None)):
        return app.session_interface.open_session(app, request)


def session_of(data: dict[str, t.Any], accessed: bool = True) -> t.Any:
    session = flask.sessions.SecureCookieSession()
    session.update(data)
    session.accessed = accessed
    return session


def saved_by_engine(app: flask.Flask, session: t.Any) -> Headers | None:
    response = app.response_class("x")
    with app.request_context(environ_of(None)):
        if not sessions_of(app).save(app, session, response):
            return None
    return response.headers


def saved_by_flask(app: flask.Flask, session: t.Any) -> Headers:
    response = app.response_class("x")
    with app.request_context(environ_of(None)):
        app.session_interface.save_session(app, session, response)
    return response.headers


def signed(app: flask.Flask, data: t.Any) -> str:
    with app.app_context():
        serializer = SecureCookieSessionInterface.get_signing_serializer(
            app.session_interface,
            app,  # type: ignore[arg-type]
        )
        assert serializer is not None
        return t.cast(str, serializer.dumps(data))


keys = st.text(min_size=1, max_size=80) | st.binary(min_size=1, max_size=80)
atoms = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
plain_values = st.recursive(
    atoms,
    lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(max_size=6), v),
    max_leaves=8,
)
rich_values = st.recursive(
    atoms
    | st.binary(max_size=8)
    | st.uuids()
    | st.datetimes(min_value=datetime(1970, 1, 2))
    | st.text(max_size=5).map(Markup),
    lambda v: (
        st.lists(v, max_size=4)
        | st.lists(v, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=6) | st.sampled_from([" t", " di"]), v)
    ),
    max_leaves=8,
)


def same(value: t.Any, other: t.Any) -> bool:
    """Equal, of the same types all through; NaN is the same as NaN."""
    return repr(value) == repr(other)


# The same cookies.


def checked_both_ways(app: flask.Flask, data: dict[str, t.Any]) -> t.Any:
    """*data*, written and read again by the engine, which has to be sure of it."""
    ours = saved_by_engine(app, session_of(data))
    assert ours is not None
    assert list(ours) == list(saved_by_flask(app, session_of(data)))
    cookie = ours["Set-Cookie"].partition(";")[0]
    session = opened_by_engine(app, cookie)
    expected = opened_by_flask(app, cookie)
    assert same(dict(session), dict(expected))
    assert vars(session).keys() == vars(expected).keys()
    return session


@given(
    data=st.dictionaries(st.text(max_size=8), plain_values, min_size=1, max_size=6),
    secret=keys,
    fallbacks=st.none() | st.lists(keys, max_size=3),
)
def test_plain_sessions_are_written_and_read_by_the_engine_as_by_flask(
    data: t.Any, secret: t.Any, fallbacks: t.Any
) -> None:
    app = make(SECRET_KEY=secret, SECRET_KEY_FALLBACKS=fallbacks)
    with frozen():
        session = checked_both_ways(app, data)
    assert type(session) is flask.sessions.SecureCookieSession
    assert not session.modified


@given(
    data=st.dictionaries(st.text(max_size=8), rich_values, min_size=1, max_size=4),
    sort_keys=st.booleans(),
    ensure_ascii=st.booleans(),
)
def test_sessions_of_any_type_are_written_and_read_by_the_engine_as_by_flask(
    data: t.Any, sort_keys: bool, ensure_ascii: bool
) -> None:
    app = make()
    provider = t.cast(flask.json.provider.DefaultJSONProvider, app.json)
    provider.sort_keys = sort_keys
    provider.ensure_ascii = ensure_ascii
    with frozen():
        checked_both_ways(app, data)


@pytest.mark.parametrize("data", [DATA, RICH, LONG, {"n": 1}], ids=str)
def test_the_engine_is_sure_of_its_own_cookies_and_of_flasks(data: t.Any) -> None:
    app = make()
    session = opened_by_engine(app, f"session={signed(app, data)}")
    assert session is not None
    assert dict(session) == data


@given(value=st.binary(max_size=400))
def test_base64_is_that_of_itsdangerous(value: bytes) -> None:
    text = ctext.to_base64(value)
    assert text == base64_encode(value).decode()
    assert ctext.from_base64(text, 0) == value
    assert ctext.from_base64(f"x{text}", 1) == value


# What itsdangerous does with "+" and "/" CPython 3.15 says will change.
@pytest.mark.filterwarnings("ignore:invalid character:FutureWarning")
@given(text=st.text(alphabet="AZaz09-_+/= .!é", max_size=12))
def test_what_the_engine_reads_as_base64_itsdangerous_reads_so_too(text: str) -> None:
    value = ctext.from_base64(text, 0)
    if value is not None:
        assert value == base64_decode(text)


@given(
    value=st.binary(max_size=14) | st.text(alphabet="ab", max_size=40).map(str.encode)
)
def test_what_is_not_compressed_would_not_be_shorter(value: bytes) -> None:
    if not ctext.may_shrink(value):
        assert len(zlib.compress(value, 9)) >= len(value) - 1
    written = signing.to_payload(value)
    serializer: t.Any = itsdangerous.URLSafeSerializer("x", serializer=Verbatim)
    assert written.encode() == serializer.dump_payload(value)
    assert signing.from_payload(written) == (
        value.decode() if value.isascii() else signing.from_payload(written)
    )


class Verbatim:
    """No serializer at all: bytes are what they are."""

    @staticmethod
    def dumps(value: bytes | str) -> bytes | str:
        return value if value else b""

    loads = dumps


@given(
    header=st.text(alphabet='session=x; \t,"\\', max_size=40)
    | st.lists(
        st.sampled_from(
            ["session=a", "a=session=b", "session", "xsession=c", "session=", " ", '"']
        )
    ).map("; ".join),
    name=st.sampled_from(["session", "x", "s", "sess ion"]),
)
def test_a_cookie_is_found_where_werkzeug_finds_it(header: str, name: str) -> None:
    found = ctext.find_cookie(header, name)
    if found is not None:
        assert found == parse_cookie(header).get(name, "")


# Cookies that are not what they should be.


def mutations(cookie: str) -> st.SearchStrategy[str]:
    places = st.integers(0, len(cookie))
    chars = st.sampled_from("aZ09-_.=; \"'!~é\x00+/%")
    return st.one_of(
        st.builds(lambda i, c: cookie[:i] + c + cookie[i + 1 :], places, chars),
        st.builds(lambda i, c: cookie[:i] + c + cookie[i:], places, chars),
        st.builds(lambda i, n: cookie[:i] + cookie[i + n :], places, st.integers(1, 9)),
        st.builds(lambda i: cookie[:i], places),
        st.builds(lambda i: cookie[i:], places),
        st.builds(lambda i, j: cookie[:i] + cookie[j:], places, places),
        st.permutations(cookie.split(".")).map(".".join),
        st.text(max_size=60),
    )


APP = make(SECRET_KEY_FALLBACKS=["older", b"old"])
with mock.patch("time.time", return_value=NOW - 60):
    GOOD = [signed(APP, data) for data in (DATA, RICH, LONG)] + [
        signed(make(SECRET_KEY=key), DATA) for key in ("older", "old", "unknown")
    ]


@given(data=st.data())
def test_no_changed_cookie_is_read_otherwise_than_flask_reads_it(
    data: st.DataObject,
) -> None:
    good = data.draw(st.sampled_from(GOOD))
    header = data.draw(
        mutations(good).map(lambda c: f"session={c}")
        | st.lists(mutations(good), max_size=2).map(
            lambda c: "; ".join(["a=b", *(f"session={v}" for v in c)])
        )
        | st.sampled_from([f"session={good}", f"session={good}; session=x"])
    )
    with frozen():
        try:
            expected = opened_by_flask(APP, header)
        except UnicodeError:
            # No request can be made of it.
            assert opened_by_engine(APP, header) is None
            return
        session = opened_by_engine(APP, header)
    if session is not None:
        assert same(dict(session), dict(expected))
        assert type(session) is type(expected)


def resigned(value: str, key: str = "new") -> str:
    signer = itsdangerous.Signer(
        key, salt="cookie-session", key_derivation="hmac", digest_method=hashlib.sha1
    )
    return signer.sign(value).decode()


def payload_of(text: bytes) -> str:
    return base64_encode(text).decode()


STAMP = payload_of(NOW.to_bytes(4, "big"))
ONE = b'{"a":1}'
NONE = payload_of(b"{}")


def stamped(number: int, size: int) -> str:
    return payload_of(number.to_bytes(size, "big"))


SIGNED = [
    *("", ".", "a", "a.", ".a", "..", "é.é", f".{STAMP}", f"!.{STAMP}"),
    *(f"{payload_of(text)}.{STAMP}" for text in (b"", b"[]", b"5", b"null", b'"x"')),
    *(
        f"{payload_of(text)}.{STAMP}"
        for text in (b'{"a":1}x', b' {"a":1}', b'{"a":1} ')
    ),
    *(
        f"{payload_of(text)}.{STAMP}"
        for text in (b'{"a":NaN}', b"\xff", b"\xef\xbb\xbf{}")
    ),
    *(f"{payload_of(text)}.{STAMP}" for text in (b'{"a":1,"a":2}', b"[" * 5000)),
    *(
        f"{payload_of(text)}.{STAMP}"
        for text in (b'{" t":[1]}', b'{"\\u0020b":"eA=="}')
    ),
    *(
        f"{payload_of(text)}.{STAMP}"
        for text in (b'{ " m":"x"}', b'{" di":{" b__":1}}')
    ),
    f".{payload_of(zlib.compress(ONE))}.{STAMP}",
    f".{payload_of(zlib.compress(ONE) + ONE)}.{STAMP}",
    f".{payload_of(zlib.compress(ONE)[:-1])}.{STAMP}",
    f".{NONE}.{STAMP}",
    *(f"{payload_of(ONE)}.{stamp}" for stamp in ("", "!", "A", "_" * 11, "AA" * 9)),
    *(
        f"{payload_of(ONE)}.{stamped(number, size)}"
        for number, size in (
            *((NOW, 8), (NOW, 9), (NOW + 1, 4), (NOW - 100, 4), (NOW - 101, 4)),
            *((NOW - 99, 5), (0, 1), (2**64 - 1, 8)),
        )
    ),
    f"{payload_of(ONE)}.{STAMP[:3]} {STAMP[3:]}",
    f"{payload_of(ONE)}.{STAMP}=",
    f"{payload_of(ONE)}=.{STAMP}",
    f"{payload_of(ONE)}\n.{STAMP}",
]


@pytest.mark.parametrize("number", range(len(SIGNED)))
@pytest.mark.parametrize("lifetime", [100, timedelta(seconds=100.9), 0, -1, 10**12])
def test_what_is_signed_and_yet_no_session_is_left_to_flask(
    number: int, lifetime: t.Any
) -> None:
    app = make(PERMANENT_SESSION_LIFETIME=lifetime)
    value = resigned(SIGNED[number])
    request = app.request_class(environ_of(None))
    request.cookies = {"session": value}  # type: ignore[assignment]
    with app.request_context(environ_of(None)):
        try:
            expected = app.session_interface.open_session(app, request)
        except Exception as error:
            # Flask's 500. The engine leaves it to Flask, or comes to the same.
            try:
                session = sessions_of(app).open(app, environ_of(None), request)
            except type(error):
                session = None
            assert session is None
            return
        session = sessions_of(app).open(app, environ_of(None), request)
    if session is not None:
        assert same(dict(session), dict(expected))


# What decides about cookies may change at any time.


def visit(app: flask.Flask, cookie: str | None = None) -> flask.wrappers.Response:
    headers = {} if cookie is None else {"Cookie": cookie}
    return app.test_client(use_cookies=False).get("/", headers=headers)


def counting(app: flask.Flask) -> flask.Flask:
    def count() -> str:
        flask.session["n"] = flask.session.get("n", 0) + 1
        return str(flask.session["n"])

    app.view_functions["index"] = count
    return app


def seen(app: flask.Flask, cookie: str | None = None) -> t.Any:
    answer = visit(app, cookie)
    return answer.status, answer.headers.to_wsgi_list(), answer.text


def both(
    change: t.Callable[[flask.Flask], object], *cookies: str | None
) -> list[t.Any]:
    """What is seen of plain and of accelerated Flask before and after a change."""
    found: list[t.Any] = []
    for host in (PLAIN, ACCELERATED):
        app = host(counting(make()))
        app.testing = False
        app.logger.disabled = True
        events = [seen(app), seen(app, f"session={signed(app, {'n': 5})}")]
        change(app)
        try:
            cookie = f"session={signed(app, {'n': 7})}"
        except (AssertionError, TypeError):
            cookie = "session=a.b.c"
        events += [seen(app, c) for c in (None, cookie, *cookies)]
        found.append(events)
    assert found[0] == found[1]
    return t.cast(list[t.Any], found[1])


def setting(name: str, value: t.Any) -> t.Callable[[flask.Flask], object]:
    def change(app: flask.Flask) -> None:
        app.config[name] = value

    change.__name__ = f"{name}={value!r}"
    return change


SETTINGS = [
    setting("SECRET_KEY", "another"),
    setting("SECRET_KEY", b"bytes"),
    setting("SECRET_KEY", "é" * 100),
    setting("SECRET_KEY", None),
    setting("SECRET_KEY", ""),
    setting("SECRET_KEY", bytearray(b"bytes")),
    setting("SECRET_KEY_FALLBACKS", ["old", b"older"]),
    setting("SECRET_KEY_FALLBACKS", ("old",)),
    setting("SECRET_KEY_FALLBACKS", "each a key"),
    setting("SESSION_COOKIE_NAME", "other"),
    setting("SESSION_COOKIE_NAME", "naïve"),
    setting("SESSION_COOKIE_NAME", "two\nlines"),
    setting("SESSION_COOKIE_NAME", None),
    setting("SESSION_COOKIE_NAME", ["not to be hashed"]),
    setting("SESSION_COOKIE_DOMAIN", ".example.com"),
    setting("SESSION_COOKIE_DOMAIN", "two\rlines"),
    setting("SESSION_COOKIE_PATH", "/a b;c"),
    setting("SESSION_COOKIE_HTTPONLY", False),
    setting("SESSION_COOKIE_HTTPONLY", 1),
    setting("SESSION_COOKIE_SECURE", True),
    setting("SESSION_COOKIE_SAMESITE", "lax"),
    setting("SESSION_COOKIE_SAMESITE", "wrong"),
    setting("SESSION_COOKIE_PARTITIONED", True),
    setting("APPLICATION_ROOT", "/app"),
    setting("SESSION_REFRESH_EACH_REQUEST", False),
    setting("PERMANENT_SESSION_LIFETIME", 60),
    setting("PERMANENT_SESSION_LIFETIME", "wrong"),
    setting("PERMANENT_SESSION_LIFETIME", None),
    setting("MAX_COOKIE_SIZE", None),
    setting("MAX_COOKIE_SIZE", False),
    setting("MAX_COOKIE_SIZE", 4093.5),
    setting("MAX_COOKIE_SIZE", 2**64),
    setting("MAX_COOKIE_SIZE", "wrong"),
]


@pytest.mark.parametrize("change", SETTINGS, ids=lambda c: c.__name__)
def test_settings_are_obeyed_at_once(change: t.Any) -> None:
    both(change)


@pytest.mark.parametrize(
    "name", ["SESSION_COOKIE_NAME", "SESSION_COOKIE_PATH", "MAX_COOKIE_SIZE"]
)
def test_a_setting_that_is_missing_is_the_same_error(name: str) -> None:
    events = both(lambda app: app.config.pop(name))
    assert events[-1][0] == "500 INTERNAL SERVER ERROR"


def test_old_keys_verify_and_never_sign() -> None:
    with mock.patch("time.time", return_value=NOW):
        cookie = f"session={signed(make(SECRET_KEY='old'), {'n': 3})}"
    events = both(setting("SECRET_KEY_FALLBACKS", ["older", "old"]), cookie)
    assert events[-1][2] == "4"
    fallbacks = ["old"]
    for host in (PLAIN, ACCELERATED):
        app = host(counting(make(SECRET_KEY_FALLBACKS=fallbacks)))
        assert visit(app, cookie).text == "4"
        # The list itself may be changed.
        fallbacks[0] = "other"
        assert visit(app, cookie).text == "1"
        fallbacks[0] = "old"


class TagComplex(flask.json.tag.JSONTag):
    key = " c"

    def check(self, value: t.Any) -> bool:
        return isinstance(value, complex)

    def to_json(self, value: t.Any) -> t.Any:
        return [value.real, value.imag]

    def to_python(self, value: t.Any) -> t.Any:
        return complex(*value)


class TagInt(TagComplex):
    """Takes away what other tags would leave as it is."""

    key = " i"

    def check(self, value: t.Any) -> bool:
        return type(value) is int

    def to_json(self, value: t.Any) -> t.Any:
        return str(value)

    def to_python(self, value: t.Any) -> t.Any:
        return int(value)


class Reversed(flask.json.provider.DefaultJSONProvider):
    def dumps(self, obj: t.Any, **kwargs: t.Any) -> str:
        return super().dumps(obj, **kwargs)[::-1]

    def loads(self, s: str | bytes, **kwargs: t.Any) -> t.Any:
        return super().loads(s[::-1], **kwargs)


class OtherSerializer:
    dumps = staticmethod(lambda value: json.dumps(value, indent=1))
    loads = staticmethod(json.loads)


class BytesSerializer:
    dumps = staticmethod(lambda value: repr(value).encode())
    loads = staticmethod(lambda value: {"n": 1} if value else {})


class OtherInterface(SecureCookieSessionInterface):
    salt = "other"
    digest_method = staticmethod(hashlib.sha256)


def fresh_serializer(app: flask.Flask) -> t.Any:
    serializer = flask.json.tag.TaggedJSONSerializer()
    t.cast(t.Any, app.session_interface).serializer = serializer
    return serializer


def on_interface(**values: t.Any) -> t.Callable[[flask.Flask], object]:
    return lambda app: vars(app.session_interface).update(values)


CHANGES: dict[str, t.Callable[[flask.Flask], object]] = {
    "tag": lambda app: fresh_serializer(app).register(TagComplex),
    "tag of ints": lambda app: fresh_serializer(app).register(TagInt, index=0),
    "tag replaced": lambda app: fresh_serializer(app).register(
        type("TagT", (TagInt,), {"key": " t"}), force=True, index=0
    ),
    "tag removed": lambda app: fresh_serializer(app).order.pop(1),
    "provider": lambda app: setattr(app, "json", Reversed(app)),
    "provider's dumps": lambda app: setattr(
        app.json, "dumps", lambda obj, **k: json.dumps(obj, indent=2)
    ),
    "provider's loads": lambda app: setattr(app.json, "loads", lambda s: {"n": 50}),
    "provider's keys": lambda app: setattr(app.json, "sort_keys", False),
    "serializer": on_interface(serializer=OtherSerializer),
    "serializer of bytes": on_interface(serializer=BytesSerializer),
    "salt": on_interface(salt="pepper"),
    "salt of bytes": on_interface(salt=b"pepper"),
    "digest": on_interface(digest_method=hashlib.sha256),
    "own digest": on_interface(digest_method=lambda *a: hashlib.sha512(*a)),
    "concat": on_interface(key_derivation="concat"),
    "django-concat": on_interface(key_derivation="django-concat"),
    "no derivation": on_interface(key_derivation="none"),
    "unknown derivation": on_interface(key_derivation="unknown"),
    "name": on_interface(get_cookie_name=lambda app: "x"),
    "path": on_interface(get_cookie_path=lambda app: "/x"),
    "expiry": on_interface(get_expiration_time=lambda app, session: None),
    "class": on_interface(
        session_class=type("Own", (flask.sessions.SecureCookieSession,), {})
    ),
    "interface": lambda app: setattr(app, "session_interface", OtherInterface()),
    "interface's class": lambda app: setattr(
        app.session_interface, "__class__", OtherInterface
    ),
    "open": on_interface(open_session=lambda app, request: {"n": 4}),
}


@pytest.fixture
def own_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set on an application's interface must not be set on every one's."""

    def init(app: flask.Flask, *args: t.Any, **kwargs: t.Any) -> None:
        natural(app, *args, **kwargs)
        app.session_interface = SecureCookieSessionInterface()

    natural = flask.Flask.__init__
    monkeypatch.setattr(flask.Flask, "__init__", init)


@pytest.mark.usefixtures("own_interface")
@pytest.mark.parametrize("name", CHANGES)
def test_what_an_application_has_of_its_own_is_used(name: str) -> None:
    both(CHANGES[name])


class KeyedApp(flask.Flask):
    @property
    def secret_key(self) -> str:  # type: ignore[override]
        return "of the class"

    @secret_key.setter
    def secret_key(self, value: t.Any) -> None:
        raise AssertionError


class ShortApp(flask.Flask):
    permanent_session_lifetime = timedelta(seconds=5)  # type: ignore[assignment]


@pytest.mark.parametrize("cls", [KeyedApp, ShortApp])
def test_settings_that_a_class_defines_are_used(cls: type[flask.Flask]) -> None:
    found = []
    for host in (PLAIN, ACCELERATED):
        app = cls("sessions")
        app.config["SECRET_KEY"] = "new"
        app.add_url_rule("/", "index")
        host(counting(app))
        with mock.patch("time.time", return_value=NOW - 10):
            cookie = f"session={signed(app, {'n': 1})}"
        found.append([seen(app), seen(app, cookie)])
    assert found[0] == found[1]


# Patches, as old as you like.


def patchable() -> list[tuple[t.Any, str]]:
    owners: list[tuple[t.Any, tuple[str, ...]]] = [
        *_flask_sessions._CLASSES.items(),
        *_signing.CLASSES.items(),
        *_flask_sessions._MODULES,
        *_signing.MODULES,
    ]
    return [
        (owner, name)
        for owner, names in owners
        for name in names
        if callable(getattr(owner, name))
        and not isinstance(getattr(owner, name), type)
        and not name.startswith("__")
    ]


@pytest.mark.parametrize("early", [False, True], ids=["later", "before"])
@pytest.mark.parametrize(
    ("owner", "name"), patchable(), ids=lambda v: getattr(v, "__name__", v)
)
def test_what_is_patched_is_called(
    owner: t.Any, name: str, early: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    natural = vars(owner).get(name, getattr(owner, name))

    def patch() -> None:
        call = getattr(natural, "__func__", natural)

        def patched(*args: t.Any, **kwargs: t.Any) -> t.Any:
            calls.append(name)
            return call(*args, **kwargs)

        static = isinstance(natural, staticmethod)
        monkeypatch.setattr(owner, name, staticmethod(patched) if static else patched)

    found = []
    for host in (PLAIN, ACCELERATED):
        app = counting(make())
        cookie = f"session={signed(app, {'n': 5})}"
        if early:
            patch()
        host(app)
        before = seen(app, cookie)
        if not early:
            patch()
        calls.clear()
        after = [seen(app), seen(app, cookie)]
        found.append((before, after, calls.copy()))
        monkeypatch.undo()
    assert found[0] == found[1]


@pytest.mark.parametrize("early", [False, True], ids=["later", "before"])
@pytest.mark.parametrize("name", ["set_cookie", "max_cookie_size", "vary"])
def test_what_is_patched_on_the_response_class_is_called(
    name: str, early: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    natural = getattr(flask.Response, name)

    def method(self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        calls.append(name)
        return natural(self, *args, **kwargs)

    def read(self: t.Any) -> t.Any:
        calls.append(name)
        return natural.fget(self)

    found = []
    for host in (PLAIN, ACCELERATED):
        patched = method if name == "set_cookie" else property(read)
        if early:
            monkeypatch.setattr(flask.Response, name, patched)
        app = host(counting(make()))
        before = seen(app)
        monkeypatch.setattr(flask.Response, name, patched)
        calls.clear()
        found.append((before, seen(app), calls.copy()))
        monkeypatch.undo()
    assert found[0] == found[1]
    assert found[1][2]


class QuotingEncoder(json.JSONEncoder):
    def encode(self, o: t.Any) -> str:
        return json.dumps(repr(o), cls=json.encoder.JSONEncoder)


PATCHES: dict[str, tuple[t.Any, str, t.Any]] = {
    "modified": (flask.sessions.SecureCookieSession, "modified", True),
    "accessed": (flask.sessions.SecureCookieSession, "accessed", True),
    "permanent": (flask.sessions.SecureCookieSession, "permanent", True),
    "interface": (
        SecureCookieSessionInterface,
        "__getattribute__",
        lambda self, name: (
            "s" if name == "salt" else object.__getattribute__(self, name)
        ),
    ),
    "encoder": (json, "JSONEncoder", QuotingEncoder),
    "sha1": (hashlib, "sha1", hashlib.sha256),
}


@pytest.mark.parametrize("early", [False, True], ids=["later", "before"])
@pytest.mark.parametrize("name", PATCHES)
def test_what_is_put_on_a_class_or_module_is_used(
    name: str, early: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for host in (PLAIN, ACCELERATED):
        cookie = f"session={signed(make(), {'n': 5})}"
        if early:
            monkeypatch.setattr(*PATCHES[name])
        app = host(make())
        before = seen(app, cookie)
        monkeypatch.setattr(*PATCHES[name])
        found.append((before, seen(app, cookie), seen(counting(app), cookie)))
        monkeypatch.undo()
    assert found[0] == found[1]


def test_a_response_class_that_sets_cookies_in_its_own_way() -> None:
    class Loud(flask.Response):
        def set_cookie(self, *args: t.Any, **kwargs: t.Any) -> None:
            super().set_cookie(*args, **kwargs)
            self.headers["X-Loud"] = "yes"

    class Quiet(flask.Response):
        pass

    for cls in (Loud, Quiet):
        both(lambda app, cls=cls: setattr(app, "response_class", cls))  # type: ignore[misc]


# What a session is to a program.


def test_what_the_program_gets_is_flasks(host: Host) -> None:
    app = host(make())
    kinds: list[t.Any] = []

    def look() -> str:
        session = t.cast(t.Any, flask.session)._get_current_object()
        kinds.append((type(session), session.new, session.modified, session.permanent))
        session["x"] = 1
        kinds.append((session.accessed, session.modified))
        return "x"

    app.view_functions["index"] = look
    visit(app)
    visit(app, f"session={signed(app, {'a': 1, '_permanent': True})}")
    cls = flask.sessions.SecureCookieSession
    assert kinds == [
        (cls, False, False, False),
        (True, True),
        (cls, False, False, True),
        (True, True),
    ]


def test_without_a_key_a_session_can_be_read_and_not_changed(host: Host) -> None:
    app = host(make(SECRET_KEY=None))
    found: list[t.Any] = []

    def look() -> str:
        found.append(type(t.cast(t.Any, flask.session)._get_current_object()))
        found.append(flask.session.get("x"))
        with pytest.raises(RuntimeError, match="no secret key was set"):
            flask.session["x"] = 1
        return "x"

    app.view_functions["index"] = look
    answer = visit(app)
    assert found == [flask.sessions.NullSession, None]
    assert "Set-Cookie" not in answer.headers


STEPS: dict[str, t.Callable[[], object]] = {
    "nothing": lambda: None,
    "read": lambda: flask.session.get("n"),
    "write": lambda: flask.session.update(n=2),
    "clear": lambda: flask.session.clear(),
    "pop": lambda: flask.session.pop("n", None),
    "permanent": lambda: setattr(flask.session, "permanent", True),
    "not permanent": lambda: setattr(flask.session, "permanent", False),
    "within": lambda: flask.session.setdefault("list", []).append(1),
    "modified": lambda: setattr(flask.session, "modified", True),
    "unmodified": lambda: setattr(flask.session, "modified", False),
    "rich": lambda: flask.session.update(RICH),
    "unwritable": lambda: flask.session.update(x=object()),
    "keys": lambda: flask.session.update({1: 2, "1": 3}),  # type: ignore[dict-item]
    "deep": lambda: flask.session.update(x=nested(200)),
    "very deep": lambda: flask.session.update(x=nested(100_000)),
    "around": lambda: flask.session.update(x=around()),
    "large": lambda: flask.session.update(x=bytes(range(256)) * 14),
    "without a look": lambda: flask.globals.request_ctx._session.update(n=3),  # type: ignore[attr-defined]
    "another": lambda: setattr(
        flask.globals.request_ctx, "session", session_of({"other": 1})
    ),
    "another kind": lambda: setattr(flask.globals.request_ctx, "_session", {"x": 1}),
    "vary": lambda: flask.after_this_request(varied("Accept")),
    "vary on it": lambda: flask.after_this_request(varied("accept, cookie")),
    "vary on all": lambda: flask.after_this_request(varied("*")),
    "shadow": lambda: flask.after_this_request(shadowed),
    "key": lambda: (
        flask.session.get("n"),
        setattr(flask.current_app, "secret_key", "changed"),
    ),
    "name": lambda: (
        flask.session.get("n"),
        flask.current_app.config.update(SESSION_COOKIE_NAME="x"),
    ),
    "other app": lambda: other.app_context().push(),
    "error": lambda: 1 / 0,
}
other = make(SECRET_KEY="other")
t.cast(t.Any, other).json.sort_keys = False


def nested(depth: int) -> list[t.Any]:
    value: list[t.Any] = []
    for _ in range(depth):
        value = [value]
    return value


def around() -> list[t.Any]:
    value: list[t.Any] = []
    value.append(value)
    return value


def varied(value: str) -> t.Any:
    def after(response: flask.Response) -> flask.Response:
        response.headers["vary"] = value
        return response

    return after


def shadowed(response: flask.Response) -> flask.Response:
    def set_cookie(*args: t.Any, **kwargs: t.Any) -> None:
        response.headers["X-Cookie"] = args[0]

    response.set_cookie = set_cookie  # type: ignore[method-assign]
    return response


def run(host: Host, steps: list[str], config: t.Any, cookies: list[str]) -> t.Any:
    app = host(make(**config))
    app.logger.disabled = True

    def view() -> str:
        for step in steps:
            STEPS[step]()
        return "x"

    app.view_functions["index"] = view
    found = []
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for cookie in cookies:
            found.append(seen(app, cookie or None))
            app.config["SECRET_KEY"] = "new"
    return found, [str(w.message) for w in warned if "cookie" in str(w.message)]


def sample_cookies() -> list[str]:
    app = make()
    return [
        "",
        "a=b",
        f"session={signed(app, {'n': 1})}",
        f"a=b; session={signed(app, {'n': 1, '_permanent': True})}; c=d",
        f"session={signed(app, RICH)}",
        f"session={signed(app, LONG)}x",
        f'session="{signed(app, {"n": 1})}"',
        f"session={signed(app, {'_permanent': False, 'n': 1})}",
        "session=",
    ]


@given(
    steps=st.lists(st.sampled_from([s for s in STEPS if s != "other app"]), max_size=4),
    config=st.fixed_dictionaries(
        {},
        optional={
            "SESSION_REFRESH_EACH_REQUEST": st.booleans(),
            "SESSION_COOKIE_SECURE": st.booleans(),
            "PERMANENT_SESSION_LIFETIME": st.integers(0, 100),
            "MAX_COOKIE_SIZE": st.sampled_from([0, 50, 80, 4093]),
        },
    ),
    order=st.randoms(use_true_random=False),
)
def test_any_program_gets_and_sends_the_same(
    steps: list[str], config: t.Any, order: t.Any
) -> None:
    with frozen():
        cookies = sample_cookies()
        order.shuffle(cookies)
        assert run(ACCELERATED, steps, config, cookies) == run(
            PLAIN, steps, config, cookies
        )


@pytest.mark.parametrize("step", [s for s in STEPS if s != "other app"])
def test_each_thing_a_program_may_do(step: str) -> None:
    cookies = sample_cookies()
    assert run(ACCELERATED, [step], {}, cookies) == run(PLAIN, [step], {}, cookies)


def test_another_application_that_is_current_has_its_say() -> None:
    found = []
    for host in (PLAIN, ACCELERATED):
        app = host(make())

        def view() -> str:
            flask.session.update(b=1, a=2)
            with other.app_context():
                # Written by the JSON of the application that is current.
                interface = flask.globals.request_ctx.app.session_interface
                response = flask.Response()
                interface.save_session(app, flask.session, response)  # noqa: B023
            return response.headers["Set-Cookie"]

        app.view_functions["index"] = view
        found.append(seen(app))
    assert found[0] == found[1]


def test_a_cookie_that_is_too_large_is_warned_of(host: Host) -> None:
    app = host(counting(make(MAX_COOKIE_SIZE=40)))
    with pytest.warns(UserWarning, match="cookie is too large"):
        assert "Set-Cookie" in visit(app).headers


def test_the_lifetime_counts_from_the_signature(host: Host, clock: mock.Mock) -> None:
    app = host(counting(make(PERMANENT_SESSION_LIFETIME=100)))
    cookie = f"session={signed(app, {'n': 5})}"
    for later, text in ((0, "6"), (100, "6"), (101, "1"), (-1, "1"), (100.9, "6")):
        clock.return_value = NOW + later
        assert visit(app, cookie).text == text


def test_explain_says_who_reads_and_writes_the_cookie(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def why(app: flask.Flask) -> str:
        return next(r.why for r in fastdispatch.explain(app) if r.step == "session")

    app = ACCELERATED(make())
    assert why(app) == "SecureCookieSessionInterface, opened on first use"
    flasks = "SecureCookieSessionInterface, opened on first use; Flask reads and writes"
    app.session_interface = SecureCookieSessionInterface()
    t.cast(t.Any, app.session_interface).serializer = OtherSerializer
    assert why(app).startswith(flasks)
    monkeypatch.setattr(
        itsdangerous.TimestampSigner, "sign", lambda self, value: b"signed"
    )
    assert why(ACCELERATED(make())).startswith(flasks)


def test_the_provider_of_an_accelerated_application_is_known() -> None:
    app = ACCELERATED(make())
    sessions = fastdispatch.flask.sessions_of(app)
    assert sessions is not None
    cookie = f"session={signed(app, DATA)}"
    for _ in range(2):
        assert sessions.owes_nothing(app, environ_of(cookie))
        app.json = flask.json.provider.DefaultJSONProvider(app)
    app.json = Reversed(app)
    assert not sessions.owes_nothing(app, environ_of(cookie))


def test_flasks_own_methods_are_not_called_where_the_engine_is_sure(host: Host) -> None:
    app = host(counting(make()))
    cookie = f"session={signed(app, {'n': 5})}"
    visit(app)
    called: set[str] = set()

    def profile(frame: t.Any, event: str, argument: object) -> None:
        if event == "call":
            called.add(frame.f_code.co_qualname)

    sys.setprofile(profile)
    try:
        text = visit(app, cookie).text
    finally:
        sys.setprofile(None)
    assert text == "6"
    methods = {
        f"SecureCookieSessionInterface.{name}"
        for name in ("open_session", "save_session", "get_signing_serializer")
    }
    assert called & methods == (set() if host.accelerated else methods)
