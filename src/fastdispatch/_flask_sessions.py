"""Flask's session cookies, read and written by the engine."""

from __future__ import annotations

from typing import Any

import flask.json
import flask.sessions
from flask.config import ConfigAttribute
from flask.json import tag
from flask.json.provider import DefaultJSONProvider
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SecureCookieSession
from flask.sessions import SecureCookieSessionInterface
from flask.wrappers import Response

from . import _signing
from .engine.signing import CookieSessions

_TAGS: list[Any] = [
    tag.TagDict,
    tag.PassDict,
    tag.TagTuple,
    tag.PassList,
    tag.TagBytes,
    tag.TagMarkup,
    tag.TagUUID,
    tag.TagDateTime,
]
_CLASSES: dict[type, tuple[str, ...]] = {
    SecureCookieSessionInterface: _signing.INTERFACE_NAMES,
    SecureCookieSession: _signing.SESSION_NAMES,
    TaggedJSONSerializer: _signing.SERIALIZER_NAMES,
    DefaultJSONProvider: _signing.PROVIDER_NAMES,
    ConfigAttribute: ("__get__",),
    **dict.fromkeys(_TAGS, _signing.TAG_NAMES),
}
_MODULES = (
    (flask.json, ("dumps", "loads")),
    (tag, ("dumps", "loads")),
    (flask.sessions, ("URLSafeTimedSerializer",)),
)


def cookie_sessions(interface: Any, *providers: type) -> CookieSessions | None:
    """What reads and writes the cookies of *interface* as Flask does; None if only
    *interface* knows how.

    :param providers: classes of ``app.json`` that do as Flask's own.
    """
    if type(interface) is not SecureCookieSessionInterface:
        return None
    stock = _signing.Stock(
        SecureCookieSession,
        TaggedJSONSerializer,
        (DefaultJSONProvider, *providers),
        _TAGS,
        flask.sessions._lazy_sha1,
        _CLASSES | dict.fromkeys(providers, _signing.PROVIDER_NAMES),
        _MODULES,
    )
    return _signing.cookie_sessions(
        interface, stock, _signing.response_values(Response)
    )
