"""Sessions: Flask's cookies both ways, and what is done about bad ones."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zlib
from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from datetime import UTC
from decimal import Decimal
from typing import Any
from unittest import mock
from uuid import UUID

import flask
import flask.sessions
import pytest
from hypothesis import example
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import BadSignature
from itsdangerous import URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode
from markupsafe import Markup
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

import fastdispatch
from fastdispatch import _cookies
from fastdispatch import sessions
from fastdispatch.json import MsgspecProvider
from fastdispatch.json import ORJSONProvider
from fastdispatch.sessions import SecureCookieSessionInterface
from fastdispatch.tag import JSONTag
from fastdispatch.tag import TaggedJSONSerializer

NOW = 1_700_000_000
PLAIN: dict[str, Any] = {"user_id": 42, "name": "somebody", "ok": True, "no": None}
RICH: dict[str, Any] = {
    "tuple": (1, (2, "x")),
    "bytes": b"\xff\x00",
    "markup": Markup("<b>"),
    "uuid": UUID(int=7),
    "date": datetime(2024, 2, 29, 12, 30, tzinfo=UTC),
    "tag": {" t": [1]},
    "tagged": {" t__": 1},
    "dict": {" di": {" b": b"x"}},
    "space": " t",
    "list": [{"a": (1,)}, []],
}


@pytest.fixture(autouse=True)
def clock() -> Iterator[mock.Mock]:
    with mock.patch("time.time", return_value=NOW) as fake:
        with mock.patch.object(sessions, "time", fake):
            yield fake


def make(framework: str, **config: Any) -> Any:
    app: Any = (flask.Flask if framework == "flask" else fastdispatch.App)("x")
    app.config.update({"SECRET_KEY": "new", **config})
    return app


def serializer_of(app: Any) -> Any:
    return app.session_interface.get_signing_serializer(app)


def request_of(app: Any, cookie: str | None) -> Any:
    headers = {} if cookie is None else {"Cookie": f"session={cookie}"}
    builder = EnvironBuilder("/", headers=headers)
    try:
        return app.request_class(builder.get_environ())
    finally:
        builder.close()


def opened(app: Any, cookie: str | None) -> Any:
    with app.app_context():
        return app.session_interface.open_session(app, request_of(app, cookie))


def saved(app: Any, session: Any, response: Any = None) -> Any:
    with app.app_context():
        response = app.response_class() if response is None else response
        app.session_interface.save_session(app, session, response)
        return response


def signed(app: Any, data: Any) -> str:
    with app.app_context():
        cookie: str = serializer_of(app).dumps(data)
        return cookie


# The same cookies as Flask's.


@pytest.mark.parametrize("data", [PLAIN, RICH, {}, {" t": 1}, {"x": "y" * 3000}])
@pytest.mark.parametrize("key", ["new", b"bytes\xff", "ключ", "k" * 200])
def test_cookie_is_that_of_flask_byte_for_byte(data: Any, key: Any) -> None:
    ours = make("ours", SECRET_KEY=key)
    theirs = make("flask", SECRET_KEY=key)
    cookie = signed(ours, data)
    assert cookie == signed(theirs, data)
    assert dict(opened(ours, cookie)) == dict(opened(theirs, cookie)) == data


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.uuids()
    | st.sampled_from([" t", " b", Markup("<i>"), Decimal("1.50")]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(
            st.text(max_size=4) | st.sampled_from([" t", " di", " t__", " x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


OURS, THEIRS = make("ours"), make("flask")


@given(data=st.dictionaries(st.text(max_size=8), json_values, max_size=6))
def test_any_session_makes_the_cookie_of_flask(data: dict[str, Any]) -> None:
    ours, theirs = OURS, THEIRS
    cookie = signed(ours, data)
    assert cookie == signed(theirs, data)
    assert dict(opened(ours, cookie)) == dict(opened(theirs, cookie))


@given(data=json_values)
@example(data={"a": (1, {" t": 2})})
def test_tagged_json_is_that_of_flask(data: Any) -> None:
    ours = TaggedJSONSerializer()
    theirs = flask.json.tag.TaggedJSONSerializer()
    dumped = ours.dumps(data)
    assert dumped == theirs.dumps(data)
    assert ours.loads(dumped) == theirs.loads(dumped)
    for other in (dumped.replace('" ', '"\\u0020'), dumped.replace(":", " : ")):
        assert ours.loads(other) == theirs.loads(other)


@pytest.mark.parametrize(
    "provider, library", [(ORJSONProvider, "orjson"), (MsgspecProvider, "msgspec")]
)
def test_cookie_does_not_depend_on_the_apps_json_library(
    provider: Any, library: str
) -> None:
    pytest.importorskip(library)
    app = make("ours")
    app.json = provider(app)
    assert signed(app, RICH) == signed(make("flask"), RICH)
    assert dict(opened(app, signed(app, RICH))) == RICH


@pytest.mark.parametrize("framework", ["ours", "flask"])
def test_cookie_obeys_the_settings_of_the_stock_provider(framework: str) -> None:
    app = make(framework)
    app.json.sort_keys = False
    app.json.ensure_ascii = False
    with app.app_context():
        dumped = app.session_interface.serializer.dumps({"b": "é", "a": 1})
    assert dumped == '{"b":"é","a":1}'


@pytest.mark.parametrize("framework", ["ours", "flask"])
def test_cookie_is_dumped_by_a_custom_provider(framework: str) -> None:
    app = make(framework)
    base: Any = type(app.json)

    class Provider(base):  # type: ignore[misc]
        def dumps(self, obj: Any, **kwargs: Any) -> str:
            assert kwargs == {"separators": (",", ":")}
            return super().dumps({"dumped": obj})  # type: ignore[no-any-return]

        def loads(self, s: Any, **kwargs: Any) -> Any:
            return super().loads(s)["dumped"]

    app.json = Provider(app)
    with app.app_context():
        serializer = app.session_interface.serializer
        assert serializer.dumps({"a": (1,)}) == '{"dumped": {"a": {" t": [1]}}}'
        assert serializer.loads('{"dumped": {"a": 1}}') == {"a": 1}


# Signatures.


def stock_serializer(*keys: Any, **kwargs: Any) -> URLSafeTimedSerializer:
    options: dict[str, Any] = {"key_derivation": "hmac", "digest_method": hashlib.sha1}
    return URLSafeTimedSerializer(
        list(keys),
        salt="cookie-session",
        serializer=TaggedJSONSerializer(),
        signer_kwargs={**options, **kwargs},
    )


@given(data=st.dictionaries(st.text(), st.text()), key=st.binary(min_size=1))
def test_signature_equals_that_of_itsdangerous(data: Any, key: bytes) -> None:
    stock = stock_serializer(key)
    app = OURS
    with mock.patch.dict(app.config, SECRET_KEY=key), app.app_context():
        ours = serializer_of(app)
        assert type(ours) is _cookies.CookieSerializer
        assert ours.dumps(data) == stock.dumps(data)
        assert ours.loads(stock.dumps(data), max_age=1) == data


def test_keys_are_derived_once() -> None:
    app = make("ours", SECRET_KEY="derived once", SECRET_KEY_FALLBACKS=["older"])
    sign = "itsdangerous.signer.Signer.derive_key"
    with mock.patch(sign, autospec=True, return_value=b"k") as derive:
        for _ in range(3):
            opened(app, signed(app, PLAIN))
    assert derive.call_count == 2
    assert serializer_of(app) is serializer_of(app)


@pytest.mark.parametrize("framework", ["ours", "flask"])
def test_c50_fallbacks_verify_but_never_sign(framework: str) -> None:
    older, old, new = (make(framework, SECRET_KEY=k) for k in ("older", "old", "new"))
    app = make(framework, SECRET_KEY="new", SECRET_KEY_FALLBACKS=["older", "old"])
    for signer in (older, old, new):
        assert dict(opened(app, signed(signer, PLAIN))) == PLAIN
    assert signed(app, PLAIN) == signed(new, PLAIN)
    assert not opened(new, signed(old, PLAIN))
    app.config["SECRET_KEY_FALLBACKS"] = None
    assert not opened(app, signed(old, PLAIN))


@pytest.mark.parametrize("framework", ["ours", "flask"])
def test_a_changed_key_is_used_at_once(framework: str) -> None:
    app = make(framework)
    before = signed(app, PLAIN)
    app.secret_key = "changed"
    assert signed(app, PLAIN) != before
    assert not opened(app, before)


@pytest.mark.parametrize("framework", ["ours", "flask"])
@pytest.mark.parametrize(
    "changed",
    [
        {"salt": "other"},
        {"key_derivation": "django-concat"},
        {"digest_method": staticmethod(hashlib.sha256)},
    ],
)
def test_settings_of_a_subclass_are_obeyed(framework: str, changed: Any) -> None:
    app = make(framework)
    before = signed(app, PLAIN)
    base: Any = type(app.session_interface)
    app.session_interface = type("Interface", (base,), changed)()
    cookie = signed(app, PLAIN)
    assert cookie != before
    assert dict(opened(app, cookie)) == PLAIN
    assert not opened(app, before)


def test_salt_and_digest_of_a_subclass_match_flask() -> None:
    ours, theirs = make("ours"), make("flask")
    for changed in ({"salt": "s"}, {"digest_method": staticmethod(hashlib.sha512)}):
        for app, base in (
            (ours, SecureCookieSessionInterface),
            (theirs, flask.sessions.SecureCookieSessionInterface),
        ):
            app.session_interface = type("Interface", (base,), changed)()  # type: ignore[operator]
        assert signed(ours, RICH) == signed(theirs, RICH)


@pytest.mark.parametrize("key", [None, "", b""])
def test_without_a_key_there_is_no_session(key: Any) -> None:
    app = make("ours", SECRET_KEY=key)
    assert serializer_of(app) is None
    assert opened(app, "anything") is None
    session = app.session_interface.make_null_session(app)
    assert app.session_interface.is_null_session(session)
    assert session.get("x") is None and not session and "x" not in session
    for change in (
        lambda: session.update(x=1),
        lambda: session.setdefault("x", 1),
        lambda: session.pop("x", None),
        lambda: session.clear(),
        lambda: session.__setitem__("x", 1),
        lambda: session.__ior__({"x": 1}),
    ):
        with pytest.raises(RuntimeError, match="session is unavailable"):
            change()


def test_a_key_that_cannot_be_hashed_works() -> None:
    app = make("ours", SECRET_KEY=bytearray(b"new"))
    assert signed(app, PLAIN) == signed(make("flask"), PLAIN)
    assert dict(opened(app, signed(app, PLAIN))) == PLAIN


# Age.


@pytest.mark.parametrize("framework", ["ours", "flask"])
@pytest.mark.parametrize(
    ("age", "valid"), [(0, True), (1, True), (60, True), (61, False), (-1, False)]
)
def test_too_old_and_from_the_future(
    framework: str, age: int, valid: bool, clock: mock.Mock
) -> None:
    app = make(framework, PERMANENT_SESSION_LIFETIME=timedelta(seconds=60))
    clock.return_value = NOW - age
    cookie = signed(app, PLAIN)
    clock.return_value = NOW
    assert dict(opened(app, cookie)) == (PLAIN if valid else {})


@pytest.mark.parametrize("framework", ["ours", "flask"])
@pytest.mark.parametrize(("lifetime", "valid"), [(0, True), (-1, False), (-60, False)])
def test_c49_lifetime_counts_within_the_second(
    framework: str, lifetime: int, valid: bool
) -> None:
    app = make(framework, PERMANENT_SESSION_LIFETIME=timedelta(seconds=lifetime))
    assert dict(opened(app, signed(app, PLAIN))) == (PLAIN if valid else {})


# Bad cookies.

VALID_PAYLOAD = "eyJhIjoxfQ"


def bad_cookies() -> list[str]:
    app = make("ours")
    good = signed(app, PLAIN)
    payload, stamp, signature = good.split(".")
    stock = stock_serializer("new")
    signer: Any = stock.make_signer()
    sign = super(type(signer), signer).sign  # without a timestamp

    def signed_value(value: str) -> str:
        return str(sign(value.encode()).decode())

    late = "_" * 11  # a timestamp that no datetime can hold
    long = base64_encode(bytes(6) + NOW.to_bytes(4, "big")).decode()
    deep = stock.dumps("x").split(".")[0]
    return [
        *("", ".", "..", "...", "a", "a.b", "a.b.c", "=.=.=", "\x00.\x01", "é.é.é"),
        *("x" * 100_000, "." * 10_000, f"{payload}.{stamp}", payload),
        *(f"{good}x", good[:-1], f"x{good}", good.upper(), good.replace(".", "..")),
        *(f"{payload}.{stamp}.", f".{stamp}.{signature}", f"{payload}..{signature}"),
        # From here on the signature is right.
        *(signed_value(v) for v in ("", "a", "a.", ".a", f"{payload}.", f".{stamp}")),
        *(signed_value(f"{payload}.{t}") for t in ("!", "A" * 40, late, long)),
        *(signed_value(f"{p}.{stamp}") for p in ("a", "!", ".a", "._", "e30x", deep)),
        signed_value(f".{stamp}"),
        *(stock.dumps(v) for v in ([], [1], "text", 5, None, True, [[1, 2, 3]])),
        *(stock.dumps(v) for v in ([[[], 1]], (1, 2), b"x", [{"a": 1}])),
        signed_value(f"{'WzAs' * 10}.{stamp}"),
    ]


# Made as late as the test runs: the clock is a fixture.
@pytest.mark.parametrize("number", range(len(bad_cookies())))
def test_bad_cookie_makes_an_empty_session(number: int) -> None:
    app = make("ours")
    with app.app_context():
        request = request_of(app, None)
        request.cookies = {"session": bad_cookies()[number]}
        session = app.session_interface.open_session(app, request)
    assert type(session) is sessions.SecureCookieSession
    assert dict(session) == {}
    assert not session.modified


@given(cookie=st.text(max_size=200) | st.binary().map(lambda b: b.decode("latin-1")))
def test_any_text_makes_an_empty_session(cookie: str) -> None:
    app = OURS
    with app.app_context():
        request = request_of(app, None)
        request.cookies = {"session": cookie}
        assert dict(app.session_interface.open_session(app, request)) == {}


@given(st.data())
def test_a_changed_byte_is_noticed(data: st.DataObject) -> None:
    app = OURS
    good = signed(app, PLAIN)
    at = data.draw(st.integers(0, len(good) - 1))
    char = data.draw(st.characters(codec="ascii").filter(lambda c: c != good[at]))
    bad = good[:at] + char + good[at + 1 :]
    with app.app_context():
        ours = serializer_of(app)
        try:
            expected = stock_serializer("new").loads(bad, max_age=1)
        except BadSignature:
            with pytest.raises(BadSignature):
                ours.loads(bad, max_age=1)
        else:  # base64 ignores some bits and characters of the signature
            assert ours.loads(bad, max_age=1) == expected == PLAIN


def test_an_unsigned_zlib_bomb_is_never_inflated() -> None:
    bomb = zlib.compress(b"0" * 10_000_000)
    app = make("ours")
    cookie = "." + base64_encode(bomb).decode() + ".AAAA.AAAA"
    with mock.patch("zlib.decompress", side_effect=AssertionError):
        assert dict(opened(app, cookie)) == {}


def test_error_of_a_session_class_is_not_swallowed() -> None:
    class Broken(sessions.SecureCookieSession):
        def __init__(self, initial: Any = None) -> None:
            if initial is not None:
                raise ValueError("broken")
            super().__init__()

    class Interface(SecureCookieSessionInterface):
        session_class = Broken

    app = make("ours")
    cookie = signed(app, PLAIN)
    app.session_interface = Interface()
    with pytest.raises(ValueError, match="broken"):
        opened(app, cookie)


# Saving.

CONFIGS: list[dict[str, Any]] = [
    {},
    {"SESSION_COOKIE_NAME": "other"},
    {"SESSION_COOKIE_NAME": "naïve"},
    {"SESSION_COOKIE_DOMAIN": ".example.com", "SESSION_COOKIE_PATH": "/a b;c"},
    {"SESSION_COOKIE_HTTPONLY": False, "SESSION_COOKIE_SECURE": True},
    {"SESSION_COOKIE_SAMESITE": "lax", "SESSION_COOKIE_PARTITIONED": True},
    {"SESSION_COOKIE_SECURE": True, "SESSION_COOKIE_HTTPONLY": True},
    # Equal to the one before, and yet another cookie.
    {"SESSION_COOKIE_SECURE": 1, "SESSION_COOKIE_HTTPONLY": 1},
    {"APPLICATION_ROOT": "/app"},
    {"SESSION_REFRESH_EACH_REQUEST": False},
    {"PERMANENT_SESSION_LIFETIME": 60},
]


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("permanent", [False, True])
@pytest.mark.parametrize("accessed", [False, True])
@pytest.mark.parametrize("modified", [False, True])
@pytest.mark.parametrize("empty", [False, True])
@pytest.mark.parametrize("vary", [None, "Cookie", "Accept, cookie", "Accept", ""])
def test_c48_c49_save_sets_the_headers_that_flask_sets(
    config: Any, permanent: bool, accessed: bool, modified: bool, empty: bool, vary: Any
) -> None:
    got = []
    for framework in ("ours", "flask"):
        app = make(framework, **config)
        session = app.session_interface.session_class({} if empty else PLAIN)
        if permanent and not empty:
            session.permanent = True
        session.accessed = accessed
        session.modified = modified
        response = app.response_class("x")
        if vary is not None:
            response.headers["vary"] = vary
        with mock.patch("flask.sessions.datetime") as fake:
            fake.now.return_value = datetime.fromtimestamp(NOW, UTC)
            saved(app, session, response)
        got.append(Headers(response.headers))
    ours, theirs = got
    assert ours.getlist("Set-Cookie") == theirs.getlist("Set-Cookie")
    assert list(ours) == list(theirs)


@pytest.mark.parametrize("framework", ["ours", "flask"])
def test_bad_samesite_is_an_error_each_time(framework: str) -> None:
    app = make(framework, SESSION_COOKIE_SAMESITE="sometimes")
    session = app.session_interface.session_class(PLAIN)
    session.modified = True
    for _ in range(2):
        with pytest.raises(ValueError, match="SameSite"):
            saved(app, session)


@pytest.mark.parametrize("framework", ["ours", "flask"])
@pytest.mark.parametrize("limit", [100, 4093])
def test_a_cookie_that_is_too_large_is_warned_of(framework: str, limit: int) -> None:
    app = make(framework, MAX_COOKIE_SIZE=limit)
    digests = (hashlib.sha512(b"%d" % i).hexdigest() for i in range(limit // 50))
    session = app.session_interface.session_class()
    session["x"] = "".join(digests)
    with pytest.warns(UserWarning, match="'session' cookie is too large"):
        response = saved(app, session)
    assert response.headers["Set-Cookie"].startswith("session=")
    app.config["MAX_COOKIE_SIZE"] = 0
    saved(app, session)


def test_set_cookie_of_a_response_class_is_called() -> None:
    calls = []

    class Response(fastdispatch.Response):
        def set_cookie(self, *args: Any, **kwargs: Any) -> None:
            calls.append((args, kwargs))

    app = make("ours")
    app.response_class = Response
    session = sessions.SecureCookieSession()
    session["a"] = 1
    session.permanent = True
    saved(app, session)
    [((name, value), kwargs)] = calls
    assert name == "session" and dict(opened(app, value)) == dict(session)
    assert kwargs["httponly"] is True and kwargs["path"] == "/"


@pytest.mark.parametrize("framework", ["ours", "flask"])
def test_overridden_methods_are_called(framework: str) -> None:
    app = make(framework)
    base: Any = type(app.session_interface)

    class Interface(base):  # type: ignore[misc]
        def get_cookie_name(self, app: Any) -> str:
            return "mine"

        def get_expiration_time(self, app: Any, session: Any) -> datetime:
            return datetime(2030, 1, 1, tzinfo=UTC)

        def should_set_cookie(self, app: Any, session: Any) -> bool:
            return True

    app.session_interface = Interface()
    response = saved(app, app.session_interface.session_class(PLAIN))
    assert response.headers["Set-Cookie"].startswith("mine=")
    assert "Expires=Tue, 01 Jan 2030 00:00:00 GMT" in response.headers["Set-Cookie"]


# Tags.


def test_registered_tags_are_used_and_come_back() -> None:
    class Upper(str):
        pass

    class TagUpper(JSONTag):
        __slots__ = ()
        key = "up"

        def check(self, value: Any) -> bool:
            return isinstance(value, str) and value.isupper()

        def to_json(self, value: Any) -> Any:
            return value.lower()

        def to_python(self, value: Any) -> Any:
            return Upper(value.upper())

    serializer = TaggedJSONSerializer()
    assert serializer.dumps({"a": "X"}) == '{"a":"X"}'
    serializer.register(TagUpper, index=0)
    assert serializer.dumps({"a": "X"}) == '{"a":{"up":"x"}}'
    assert type(serializer.loads('{"a":{"up":"x"}}')["a"]) is Upper
    with pytest.raises(KeyError, match="'up' is already registered"):
        serializer.register(TagUpper)
    serializer.register(TagUpper, force=True)
    assert len(serializer.order) == 10


def test_order_of_tags_is_live() -> None:
    serializer = TaggedJSONSerializer()
    serializer.order.clear()
    with pytest.raises(TypeError):
        serializer.dumps({"a": b"x"})


# Opened on first use.


def test_opens_on_first_use_unless_a_subclass_wants_to_see_each_request() -> None:
    class Named(SecureCookieSessionInterface):
        def get_cookie_name(self, app: Any) -> str:
            return "named"

    class Saving(SecureCookieSessionInterface):
        def save_session(self, app: Any, session: Any, response: Any) -> None:
            pass

    class Below(Saving):
        salt = "below"

    class Willing(Saving):
        opens_on_first_use = True

    assert sessions.SessionInterface.opens_on_first_use is False
    assert SecureCookieSessionInterface().opens_on_first_use is True
    assert Named().opens_on_first_use is True
    assert Saving().opens_on_first_use is False
    assert Below().opens_on_first_use is False
    assert Willing().opens_on_first_use is True
    patched: Any = SecureCookieSessionInterface()
    patched.salt = "x"
    assert patched.opens_on_first_use is True
    patched.open_session = lambda app, request: None
    assert patched.opens_on_first_use is False


PERMANENT = {"_permanent": True, "a": 1}
LONG = {"a": "b" * 200}


@pytest.mark.parametrize(
    ("config", "cookies", "needed"),
    [
        ({}, None, False),
        ({}, "other=1", False),
        ({}, "session={plain}", False),
        ({}, "other=1; session={plain}; more=2", False),
        ({}, "other=1;session={plain}", False),
        ({}, "session={permanent}", True),
        ({}, "other=1; session={permanent}; more=2", True),
        ({"SESSION_COOKIE_NAME": "sid"}, "session={permanent}", False),
        ({"SESSION_REFRESH_EACH_REQUEST": False}, "session={permanent}", False),
        # Not sure, hence yes.
        ({}, "session={long}", True),
        ({}, "session={escaped}", True),
        ({}, "xsession={plain}", True),
        ({}, "session={plain}; session={permanent}", True),
        ({}, "sessions={plain}; session={permanent}", True),
        ({}, 'other="; session={plain}"; session={permanent}', True),
        ({}, "session = {permanent}", True),
        ({}, "session ={permanent}; session={plain}", True),
        ({}, 'session="{quoted}"', True),
        ({}, "session=", True),
        ({}, "session", True),
        ({}, "session=!", True),
        ({}, "session=\xe9", True),
        ({"SESSION_COOKIE_NAME": "\xe9"}, "other=x", True),
    ],
)
def test_c49_needs_save_unopened(config: Any, cookies: Any, needed: bool) -> None:
    app = make("ours", **config)
    environ = {}
    permanent = signed(app, PERMANENT)
    if cookies is not None:
        environ["HTTP_COOKIE"] = cookies.format(
            plain=signed(app, PLAIN),
            permanent=permanent,
            long=signed(app, LONG),
            escaped=signed(app, {"a": "\n"}),
            # The first character of the payload as an octal escape.
            quoted=f"\\{ord(permanent[0]):03o}{permanent[1:]}",
        )
    assert app.session_interface.needs_save_unopened(app, environ) is needed


@given(
    data=st.dictionaries(
        st.text(max_size=3) | st.sampled_from(["_permanent", " t", " di"]),
        json_values,
        max_size=3,
    ),
    before=st.text('session=;, ".x', max_size=12),
    after=st.text('session=;, ".x', max_size=12),
)
def test_c49_unopened_only_if_opening_it_would_change_nothing(
    data: Any, before: str, after: str
) -> None:
    cookies = f"{before}session={signed(OURS, data)}{after}"
    environ = {**environ_of(), "HTTP_COOKIE": cookies}
    interface = OURS.session_interface
    if interface.needs_save_unopened(OURS, environ):
        return
    with OURS.app_context():
        session = interface.open_session(OURS, OURS.request_class(environ))
        assert not interface.should_set_cookie(OURS, session)


def environ_of() -> Any:
    builder = EnvironBuilder("/")
    try:
        return builder.get_environ()
    finally:
        builder.close()


def test_c49_needs_save_unopened_if_payloads_are_not_the_stock_ones() -> None:
    def needed(app: Any) -> bool:
        environ = {"HTTP_COOKIE": f"session={signed(OURS, PLAIN)}"}
        return bool(app.session_interface.needs_save_unopened(app, environ))

    class Custom(SecureCookieSessionInterface):
        serializer = TaggedJSONSerializer()

    class Digest(SecureCookieSessionInterface):
        digest_method = staticmethod(hashlib.sha256)

    class Provider(fastdispatch.json.DefaultJSONProvider):
        def loads(self, s: Any, **kwargs: Any) -> Any:
            return PERMANENT

    app = make("ours")
    assert needed(app) is False
    app.session_interface = Custom()
    assert needed(app) is False
    Custom.serializer.register(type("Tag", (JSONTag,), {"key": "x"}))
    assert needed(app) is True
    Custom.serializer = TaggedJSONSerializer()
    assert needed(app) is False
    Custom.serializer.register(type("Tag", (JSONTag,), {"key": " d"}), force=True)
    assert needed(app) is True
    app.session_interface = Digest()
    assert needed(app) is True
    app = make("ours")
    app.json = Provider(app)
    assert needed(app) is True
    app = make("ours", SECRET_KEY=None)
    assert needed(app) is True


@pytest.mark.parametrize("framework", ["ours", "flask"])
@pytest.mark.parametrize("refresh", [True, False])
@pytest.mark.parametrize("permanent", [True, False])
def test_c49_permanent_session_nobody_looked_at_is_refreshed(
    framework: str, refresh: bool, permanent: bool
) -> None:
    app = make(framework, SESSION_REFRESH_EACH_REQUEST=refresh)
    lib: Any = flask if framework == "flask" else fastdispatch

    @app.get("/set")
    def set_session() -> str:
        lib.session["a"] = 1
        lib.session.permanent = permanent
        return "set"

    @app.get("/plain")
    def plain() -> str:
        return "plain"

    client = app.test_client()
    assert "Set-Cookie" in client.get("/set").headers
    response = client.get("/plain")
    assert ("Set-Cookie" in response.headers) == (refresh and permanent)
    assert ("Vary" in response.headers) == (refresh and permanent)


# The session itself.


@pytest.mark.parametrize("library", [sessions, flask.sessions])
def test_changes_are_noticed(library: Any) -> None:
    def fresh() -> Any:
        return library.SecureCookieSession({"a": 1})

    session = fresh()
    assert session["a"] == 1 and "a" in session and len(session) == 1
    assert not session.modified and not session.accessed and not session.new
    assert session.permanent is False
    for change in (
        lambda s: s.__setitem__("b", 1),
        lambda s: s.__delitem__("a"),
        lambda s: s.pop("a"),
        lambda s: s.update(b=1),
        lambda s: s.setdefault("b", 1),
        lambda s: s.clear(),
        lambda s: s.popitem(),
        lambda s: setattr(s, "permanent", True),
    ):
        session = fresh()
        change(session)
        assert session.modified
    assert session.permanent is True and session["_permanent"] is True


# As a request opens and saves them: in the engine, where it is sure.


def program(framework: str, data: Any, **config: Any) -> Any:
    app = make(framework, **config)

    def view() -> str:
        session = (flask if framework == "flask" else fastdispatch).session
        session.update(data)
        return repr(sorted(session.items()))

    app.add_url_rule("/", "index", view)
    return app


def asked(app: Any, cookie: str | None) -> Any:
    headers = {} if cookie is None else {"Cookie": cookie}
    answer = app.test_client(use_cookies=False).get("/", headers=headers)
    return answer.headers.to_wsgi_list(), answer.text


@given(
    data=st.dictionaries(st.text(max_size=8), json_values, max_size=6),
    key=st.text(min_size=1) | st.binary(min_size=1),
)
@example(data=PLAIN, key="key")
@example(data=RICH, key="key")
@example(data=LONG, key=b"key")
def test_a_request_reads_and_writes_the_cookie_of_flask(data: Any, key: Any) -> None:
    ours = program("ours", data, SECRET_KEY=key, SECRET_KEY_FALLBACKS=["old"])
    theirs = program("flask", data, SECRET_KEY=key, SECRET_KEY_FALLBACKS=["old"])
    for signer in (key, "old", "unknown"):
        cookie = f"session={signed(make('flask', SECRET_KEY=signer), {'before': 1})}"
        assert asked(ours, cookie) == asked(theirs, cookie)
    assert asked(ours, None) == asked(theirs, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_COOKIE_SIZE", None),
        ("MAX_COOKIE_SIZE", 4093.5),
        ("MAX_COOKIE_SIZE", 2**64),
        ("PERMANENT_SESSION_LIFETIME", None),
    ],
)
def test_an_unusual_setting_is_the_same_as_for_flask(name: str, value: Any) -> None:
    cookie = f"session={signed(make('flask'), {'before': 1})}"
    found = []
    for framework in ("ours", "flask"):
        app = program(framework, PLAIN, **{name: value})
        app.logger.disabled = True
        app.testing = False
        found.append((asked(app, None), asked(app, cookie)))
    assert found[0] == found[1]


def of_ours() -> list[tuple[Any, str]]:
    return [
        (cls, name)
        for cls, names in _cookies._STOCK.classes.items()
        for name in names
        if callable(getattr(cls, name))
        and not isinstance(getattr(cls, name), type)
        and not name.startswith("__")
    ]


@pytest.mark.parametrize(
    ("cls", "name"), of_ours(), ids=lambda v: getattr(v, "__name__", v)
)
def test_what_is_patched_answers_a_request(
    cls: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Patched(Exception):
        pass

    def patched(*args: Any, **kwargs: Any) -> Any:
        raise Patched(name)

    def calls() -> bool:
        app.config["PROPAGATE_EXCEPTIONS"] = True
        try:
            asked(app, cookie)
        except Patched:
            return True
        return False

    app = program("ours", {"a": (1, "x")})
    cookie = f"session={signed(app, RICH)}"
    asked(app, cookie)
    static = isinstance(vars(cls).get(name), staticmethod)
    monkeypatch.setattr(cls, name, staticmethod(patched) if static else patched)
    # As when the interface's own methods run, for it never was the engine's turn.
    expected = calls()
    monkeypatch.undo()
    app.session_interface = type("Own", (SecureCookieSessionInterface,), {})()
    asked(app, cookie)
    monkeypatch.setattr(cls, name, staticmethod(patched) if static else patched)
    assert calls() == expected


def test_the_stock_interface_is_one_for_all_and_is_imported_when_asked_for() -> None:
    program = (
        "import sys, fastdispatch\n"
        "app = fastdispatch.App('app')\n"
        "assert 'fastdispatch.sessions' not in sys.modules\n"
        "one = app.session_interface\n"
        "assert one is fastdispatch.App.session_interface\n"
        "assert one is fastdispatch.App('other').session_interface\n"
        "assert vars(fastdispatch.App)['session_interface'] is one\n"
        "print(type(one).__name__)"
    )
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["SecureCookieSessionInterface"]


def test_an_interface_may_replace_the_stock_one_before_that_is_imported() -> None:
    program = (
        "import fastdispatch\n"
        "class Sessions:\n"
        "    def open_session(self, app, request): return {}\n"
        "    def is_null_session(self, session): return False\n"
        "    def save_session(self, app, session, response):\n"
        "        response.headers['Saved'] = 'yes'\n"
        "class Own(fastdispatch.App): session_interface = Sessions()\n"
        "for app, late in ((Own('a'), 0), (fastdispatch.App('b'), 1),\n"
        "        (fastdispatch.App('c'), 2)):\n"
        "    app.add_url_rule('/', 'view', lambda: 'Hello')\n"
        "    client = app.test_client()\n"
        "    if late:\n"
        "        assert 'Saved' not in client.get('/').headers\n"
        "        owner = app if late == 1 else fastdispatch.App\n"
        "        owner.session_interface = Sessions()\n"
        "    print(client.get('/').headers['Saved'])\n"
    )
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["yes"] * 3
