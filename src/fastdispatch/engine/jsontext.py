# cython: auto_pickle=False, binding=False, embedsignature=True
# cython: embedsignature.format=clinic
"""JSON text of plain values, for the providers that write what ``json.dumps`` does."""

from __future__ import annotations

import json
import sys
from json import decoder
from json import encoder
from json import JSONDecoder
from json import JSONEncoder
from operator import attrgetter
from types import FunctionType
from typing import Any
from typing import TYPE_CHECKING

from . import compiled
from . import context
from . import response as responses
from .context import Context
from .plan import comparer
from .plan import JSONText

if TYPE_CHECKING or not compiled:
    from . import capi
    from . import cdicts
    from . import cjson

_json_names: Any = vars(json)
_encoder_names: Any = vars(encoder)
_decoder_names: Any = vars(decoder)


def _genuine(func: Any, names: Any) -> Any:
    """*func* if it was defined where *names* are the globals, else no match ever."""
    if type(func) is FunctionType and func.__globals__ is names:
        return func
    return object()


class _Names:
    """What some names of a module, or of an object, have stood for from the start."""

    __slots__ = ("names", "places", "same", "table", "values")

    def __init__(self, table: Any, stock: dict[str, Any]) -> None:
        self.table: dict[str, Any] = table
        self.names = tuple([sys.intern(name) for name in stock])
        self.values = tuple(stock.values())
        if not capi.COMPILED:
            self.same = comparer(self.names, self.values, "o.get('{}')")
        order = list(table)
        self.places = bytes(
            [min(order.index(n), 127) if n in table else 0 for n in self.names]
        )


class _Stock:
    """A function of the json package, with all that it calls of that package."""

    __slots__ = ("_class", "_first", "_second", "_steps", "_steps_of", "_version")

    def __init__(
        self, first: _Names, second: _Names, cls: type, steps: tuple[str, ...]
    ) -> None:
        self._first = first
        self._second = second
        self._class: type = cls
        self._steps_of: Any = attrgetter(*steps)
        names = vars(sys.modules[cls.__module__])
        self._steps = tuple([_genuine(func, names) for func in self._steps_of(cls)])
        self._version = 0

    def untouched(self) -> bool:
        """Whether nobody has patched any of it."""
        first = self._first
        second = self._second
        if not capi.COMPILED:
            kept = first.same(first.table) and second.same(second.table)
        else:
            kept = cdicts.holds(
                first.table, first.places, first.names, first.values
            ) and cdicts.holds(second.table, second.places, second.names, second.values)
        if not kept:
            return False
        version = capi.type_version(self._class)
        if version == 0 or version != self._version:
            if not capi.identical(self._steps_of(self._class), self._steps):
                return False
            self._version = version
        return True


_writing = _Stock(
    _Names(
        _json_names,
        {"dumps": _genuine(json.dumps, _json_names), "JSONEncoder": JSONEncoder},
    ),
    _Names(
        _encoder_names,
        {
            "c_make_encoder": getattr(encoder, "c_make_encoder", None),
            "encode_basestring": encoder.encode_basestring,
            "encode_basestring_ascii": encoder.encode_basestring_ascii,
        },
    ),
    JSONEncoder,
    ("__init__", "encode", "iterencode"),
)

# No public names: what json.loads reads with, where it is asked for nothing special.
_default_decoder: Any = _json_names.get("_default_decoder")
_decoder_own: Any = (
    vars(_default_decoder) if type(_default_decoder) is JSONDecoder else {}
)
# (text, position) to (value, end). StopIteration: no JSON.
_scan: Any = _decoder_own.get("scan_once")
_reading = _Stock(
    _Names(
        _json_names,
        {
            "loads": _genuine(json.loads, _json_names),
            "_default_decoder": _default_decoder,
        },
    ),
    _Names(_decoder_own, {"scan_once": _scan}),
    JSONDecoder,
    ("decode", "raw_decode"),
)


def dumps_is_stock() -> bool:
    """Whether nobody has patched :func:`json.dumps`, nor what it calls."""
    return _writing.untouched()


def read_json(s: Any) -> Any:
    """``json.loads(s)``.

    PERF: 1.6 us where json.loads takes 2.4 (200 bytes): no looking for the encoding and
    for spaces around. It gets what it may see otherwise.
    """
    if _scan is None or not _reading.untouched():
        return json.loads(s)
    text: Any = s
    if type(s) is bytes and s.startswith((b"{", b"[")) and s[1:2] != b"\0":
        text = s.decode("utf-8", "surrogatepass")
    if type(text) is str:
        try:
            value, end = _scan(text, 0)
        except StopIteration:
            pass
        else:
            if end == len(text):
                return value
    return json.loads(s)


def write_json(
    obj: Any,
    sort_keys: bool,
    ensure_ascii: bool,
    spaced: bool = False,
    newline: bool = False,
) -> bytes | None:
    """*obj* as :func:`json.dumps` writes it, in UTF-8; None if only that knows.

    PERF: a fifth of the standard library's time for an object of five keys.

    :param spaced: whether spaces follow commas and colons.
    :param newline: whether a newline ends the text.
    """
    return cjson.write(obj, sort_keys, ensure_ascii, spaced, newline)


class Settings:
    """What one class of providers, as it is now, makes of JSON.

    ``stock``: its methods are those known to write what json.dumps does.
    """

    __slots__ = (
        "compact",
        "ensure_ascii",
        "mimetype",
        "sort_keys",
        "stock",
        "version",
    )

    def __init__(self, cls: Any, stock: tuple[Any, ...]) -> None:
        # Looking at it gives a class a version.
        cls.compact  # noqa: B018
        self.version = capi.type_version(cls)
        self.compact: Any = cls.compact
        self.ensure_ascii: Any = cls.ensure_ascii
        self.sort_keys: Any = cls.sort_keys
        self.mimetype: Any = cls.mimetype
        self.stock = capi.identical(methods(cls), stock)
        for value in (self.compact, self.ensure_ascii, self.sort_keys, self.mimetype):
            if hasattr(value, "__get__"):
                # A property: it has a value for each instance.
                self.stock = False
        if capi.type_version(cls) != self.version:
            # Another thread has patched it meanwhile.
            self.version = 0


#: What decides of a provider's response; a host's stock ones are known to the engine.
METHODS = ("__getattribute__", "_prepare_response_obj", "dumps", "response")


def methods(cls: Any) -> tuple[Any, ...]:
    """What :data:`METHODS` are on a provider class."""
    return tuple([getattr(cls, name) for name in METHODS])


# Not in the pure build: the standard library is as quick as anything in Python.
_writes = cjson.write(None, False, False, False, False) is not None


class ProviderText(JSONText):
    """What writes the responses of one class of providers, a host's own."""

    __slots__ = ("_class", "_methods", "_settings")

    def __init__(self, cls: Any) -> None:
        """Write what instances of *cls*, as it is now, make of JSON."""
        self._class = cls
        self._methods = methods(cls)
        self._settings: Settings | None = None

    def respond(self, provider: Any, debug: Any, obj: Any) -> Any:
        """Body and Content-Type item of ``provider.response(obj)``; None if unsure."""
        cls = type(provider)
        if not _writes or cls is not self._class or not dumps_is_stock():
            return None
        settings = self._settings
        version = capi.type_version(cls)
        if settings is None or settings.version != version or version == 0:
            settings = Settings(cls, self._methods)
            if settings.version == 0:
                return None
            self._settings = settings
        if not settings.stock:
            return None
        compact = settings.compact
        ensure_ascii = settings.ensure_ascii
        sort_keys = settings.sort_keys
        mimetype = settings.mimetype
        own: Any = capi.instance_dict(provider)
        if own is not None and len(own) > 1:
            # More than the application.
            for name in own:
                if name == "compact":
                    compact = own[name]
                elif name == "ensure_ascii":
                    ensure_ascii = own[name]
                elif name == "sort_keys":
                    sort_keys = own[name]
                elif name == "mimetype":
                    mimetype = own[name]
                elif name in METHODS:
                    return None
        if compact is False or (compact is None and debug):
            return None
        item = responses.content_type_item(mimetype)
        if item is None:
            return None
        body = cjson.write(obj, bool(sort_keys), bool(ensure_ascii), False, True)
        if body is None:
            return None
        return body, item


def jsonify(*args: Any, **kwargs: Any) -> Any:
    """A JSON response by the current app's provider.

    One positional argument is the value; several are a list; keyword arguments are an
    object; nothing is null. TypeError if both kinds are given, RuntimeError outside of
    a context (rule 17).
    """
    ctx = context.current()
    if ctx is None:
        raise RuntimeError(context.NO_APP)
    if not args or not kwargs:
        if kwargs:
            value: Any = kwargs
        elif len(args) == 1:
            value = args[0]
        else:
            value = args or None
        response = response_of(ctx, value)
        if response is not None:
            return response
    return ctx.app.json.response(*args, **kwargs)


def response_of(ctx: Context, value: Any) -> Any:
    """``app.json.response(value)``; None if unsure."""
    if not _writes or ctx.hosted:
        return None
    cls = context.response_class(ctx)
    if not responses.prove(cls).sends_body:
        return None
    body = ctx.json_body(value)
    if body is None:
        return None
    item = ctx.body_item
    # The view may return something else.
    ctx.body_item = None
    return responses.from_body(cls, item, body)
