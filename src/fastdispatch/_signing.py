"""What of itsdangerous the engine's session cookies rely on."""

from __future__ import annotations

import hashlib
import hmac
import json
import json.encoder
from json import JSONDecoder
from json import JSONEncoder
from types import BuiltinFunctionType
from types import FunctionType
from types import MethodDescriptorType
from types import ModuleType
from types import WrapperDescriptorType
from typing import Any
from typing import NamedTuple

import itsdangerous.signer
import itsdangerous.timed
import itsdangerous.url_safe
import werkzeug.sansio.response
from itsdangerous import Serializer
from itsdangerous import Signer
from itsdangerous import TimestampSigner
from itsdangerous import URLSafeTimedSerializer
from itsdangerous.signer import HMACAlgorithm
from werkzeug.sansio.response import Response

from .engine.signing import CookieSessions
from .engine.signing import CookieSigner
from .engine.signing import Proof

CLASSES: dict[type, tuple[str, ...]] = {
    URLSafeTimedSerializer: (
        "__init__",
        "default_fallback_signers",
        "default_signer",
        "dump_payload",
        "dumps",
        "iter_unsigners",
        "load_payload",
        "loads",
        "make_signer",
    ),
    TimestampSigner: (
        "__init__",
        "derive_key",
        "get_signature",
        "get_timestamp",
        "sign",
        "unsign",
        "verify_signature",
    ),
    # What the above call by super().
    Serializer: ("dump_payload", "load_payload"),
    Signer: ("sign", "unsign"),
    HMACAlgorithm: ("__init__", "get_signature", "verify_signature"),
    JSONEncoder: ("__init__", "encode", "iterencode"),
    JSONDecoder: ("decode", "raw_decode"),
}
"""What signs, verifies and writes JSON, and what of it the engine does itself."""

MODULES: tuple[tuple[ModuleType, tuple[str, ...]], ...] = (
    (itsdangerous.signer, ("base64_decode", "base64_encode")),
    (
        itsdangerous.timed,
        ("base64_decode", "base64_encode", "bytes_to_int", "int_to_bytes"),
    ),
    (itsdangerous.url_safe, ("base64_decode", "base64_encode")),
    (hashlib, ("sha1",)),
    (hmac, ("new",)),
    (json, ("JSONEncoder", "dumps", "loads")),
    (json.encoder, ("c_make_encoder", "encode_basestring_ascii")),
    (werkzeug.sansio.response, ("dump_cookie",)),
)
"""The functions that they call, and those that write JSON and cookies."""

RESPONSE_NAMES = ("set_cookie", "vary", "max_cookie_size", "__getattribute__")
"""What of a response class decides how a cookie is set."""

# Of what needs no tag nothing else is asked.
TAG_NAMES = ("check", "tag")
SERIALIZER_NAMES = ("_untag_scan", "dumps", "loads", "tag", "untag")
PROVIDER_NAMES = ("dumps", "loads")
SESSION_NAMES = ("__init__", "__new__", "get", "permanent")
INTERFACE_NAMES = (
    "__getattribute__",
    "digest_method",
    "get_cookie_domain",
    "get_cookie_httponly",
    "get_cookie_name",
    "get_cookie_partitioned",
    "get_cookie_path",
    "get_cookie_samesite",
    "get_cookie_secure",
    "get_expiration_time",
    "get_signing_serializer",
    "is_null_session",
    "key_derivation",
    "make_null_session",
    "open_session",
    "salt",
    "save_session",
    "serializer",
    "session_class",
    "should_set_cookie",
)

_DIGESTS = (
    hashlib.sha1,
    hashlib.sha224,
    hashlib.sha256,
    hashlib.sha384,
    hashlib.sha512,
)


def make_signer(
    secret_keys: list[str | bytes], salt: str | bytes, derivation: str, digest: Any
) -> CookieSigner | None:
    """What signs with the last of *secret_keys* and verifies with all of them.

    :param derivation: how itsdangerous derives keys.
    :param digest: a constructor of hashlib's, or a function that calls it.
    :return: None where that digest is not to be had, or derivation fails: it is for
        itsdangerous to say so.
    """
    signer = TimestampSigner(
        secret_keys,  # type: ignore[arg-type]
        salt=salt,
        key_derivation=derivation,
        digest_method=digest,
    )
    try:
        keys = [signer.derive_key(key) for key in reversed(signer.secret_keys)]
        return CookieSigner(keys, digest, signer.get_timestamp)
    except (TypeError, ValueError):
        return None


def can_sign(interface: Any, lazy_sha1: Any) -> bool:
    """Whether the settings of a session interface are some that :func:`make_signer`
    knows how to go by; *lazy_sha1* is its stock digest."""
    digest = interface.digest_method
    return (
        (digest is lazy_sha1 or digest in _DIGESTS)
        and type(interface.key_derivation) is str
        and type(interface.salt) in (str, bytes)
    )


class Stock(NamedTuple):
    """What the stock session interface of one host is made of."""

    session: type
    serializer: type
    providers: tuple[type, ...]
    """Of JSON."""
    tags: list[type]
    digest: Any
    """What it signs with unless told otherwise."""
    classes: dict[type, tuple[str, ...]]
    """Classes of the host, and what of each the engine does itself."""
    modules: tuple[tuple[ModuleType, tuple[str, ...]], ...]
    """Modules of the host, and the functions of each."""


_SETTINGS = {"digest_method", "key_derivation", "salt", "serializer"}


def cookie_sessions(
    interface: Any, stock: Stock, responses: tuple[Any, ...] | None
) -> CookieSessions | None:
    """What reads and writes the cookies of *interface*, which is no subclass's, in the
    engine; None if only *interface* knows how.

    :param responses: :func:`response_values` of the host's class.
    """
    if (
        not _SETTINGS.issuperset(vars(interface))
        or type(interface.serializer) is not stock.serializer
        or interface.session_class is not stock.session
        or not can_sign(interface, stock.digest)
    ):
        return None
    proof = prove(stock.classes, stock.modules)
    if proof is None or responses is None:
        return None
    salt = interface.salt
    derivation = interface.key_derivation
    digest = interface.digest_method
    return CookieSessions(
        interface,
        lambda keys: make_signer(keys, salt, derivation, digest),
        stock.providers,
        stock.tags,
        responses,
        RESPONSE_NAMES,
        proof,
    )


def prove(
    classes: dict[type, tuple[str, ...]],
    modules: tuple[tuple[ModuleType, tuple[str, ...]], ...],
) -> Proof | None:
    """A proof of those classes and modules, and of itsdangerous.

    None if somebody has put something of his own there already.
    """
    classes = classes | CLASSES
    modules = modules + MODULES
    if (
        URLSafeTimedSerializer.default_signer is not TimestampSigner
        or json.JSONEncoder is not JSONEncoder
    ):
        return None
    for cls, names in classes.items():
        if not all(_is_genuine(getattr(cls, name)) for name in names):
            return None
    for module, names in modules:
        if not all(_is_genuine(vars(module)[name]) for name in names):
            return None
    return Proof(classes, modules)


_PACKAGES = {
    "flask",
    "hmac",
    "itsdangerous",
    "json",
    "werkzeug",
    __name__.partition(".")[0],
}
_C_TYPES = (
    BuiltinFunctionType,
    MethodDescriptorType,
    WrapperDescriptorType,
)


def _is_genuine(value: Any) -> bool:
    """Whether *value* is data, or of Flask or what Flask and we are made of."""
    if isinstance(value, property):
        return all(
            f is None or _is_genuine(f) for f in (value.fget, value.fset, value.fdel)
        )
    value = getattr(value, "__func__", value)
    if type(value) is FunctionType:
        scope: dict[str, Any] | None = value.__globals__
        # PyPy's built-in functions are of this type, too, and have none.
        return scope is None or scope.get("__name__", "").split(".")[0] in _PACKAGES
    return isinstance(value, (type, *_C_TYPES)) or not callable(value)


def response_values(cls: type[Response]) -> tuple[Any, ...] | None:
    """The values of :data:`RESPONSE_NAMES` on *cls*.

    None if somebody has put something of his own there already.
    """
    values = tuple([getattr(cls, name) for name in RESPONSE_NAMES])
    if not all(callable(v) or isinstance(v, property) for v in values):
        return None
    return values if all(map(_is_genuine, values)) else None
