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

_STOCK_TAGS: list[Any] = [
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
    **dict.fromkeys(_STOCK_TAGS, _signing.TAG_NAMES),
}
_MODULES = (
    (flask.json, ("dumps", "loads")),
    (tag, ("dumps", "loads")),
    (flask.sessions, ("URLSafeTimedSerializer",)),
)
_SETTINGS = {"digest_method", "key_derivation", "salt", "serializer"}


def cookie_sessions(interface: Any, *providers: type) -> CookieSessions | None:
    """What reads and writes the cookies of *interface* as Flask does; None if only
    *interface* knows how.

    :param providers: classes of ``app.json`` that do as Flask's own.
    """
    lazy_sha1 = flask.sessions._lazy_sha1
    if (
        type(interface) is not SecureCookieSessionInterface
        or not _SETTINGS.issuperset(vars(interface))
        or type(interface.serializer) is not TaggedJSONSerializer
        or interface.session_class is not SecureCookieSession
        or not _signing.can_sign(interface, lazy_sha1)
    ):
        return None
    lent = dict.fromkeys(providers, _signing.PROVIDER_NAMES)
    proof = _signing.prove(_CLASSES | lent, _MODULES)
    responses = _signing.response_values(Response)
    if proof is None or responses is None:
        return None
    salt = interface.salt
    derivation = interface.key_derivation
    digest = interface.digest_method
    return CookieSessions(
        interface,
        lambda keys: _signing.make_signer(keys, salt, derivation, digest),
        (DefaultJSONProvider, *providers),
        _STOCK_TAGS,
        responses,
        _signing.RESPONSE_NAMES,
        proof,
    )
