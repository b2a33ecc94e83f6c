"""JSON for requests and responses: the app's provider, and functions that use it.

The module stands in for the standard :mod:`json` with the current app's settings. An
app's provider is ``app.json``, by default a :class:`DefaultJSONProvider`.
"""

from __future__ import annotations

import dataclasses
import json as _json
import uuid
import weakref
from collections.abc import Callable
from datetime import date
from json import encoder as _encoder
from types import FunctionType
from typing import Any
from typing import AnyStr
from typing import IO
from typing import TYPE_CHECKING

from werkzeug.http import http_date

from .engine import compiled
from .engine.jsontext import dumps_is_stock
from .engine.jsontext import jsonify as jsonify
from .engine.jsontext import ProviderText
from .engine.jsontext import read_json
from .engine.jsontext import write_json

if TYPE_CHECKING:
    from .wrappers import Response

# C; None on PyPy. It is no public name of the json package's.
_stock_make_encoder: Any = getattr(_encoder, "c_make_encoder", None)


def _default(o: Any) -> Any:
    if isinstance(o, date):
        return http_date(o)
    # PERF: a fifteenth of what importing this takes beyond Werkzeug.
    from decimal import Decimal

    if isinstance(o, (Decimal, uuid.UUID)):
        return str(o)
    if dataclasses.is_dataclass(o):
        return dataclasses.asdict(o)  # type: ignore[arg-type]
    if hasattr(o, "__html__"):
        return str(o.__html__())
    raise TypeError(f"Object of type {type(o).__name__} is not JSON serializable")


class JSONProvider:
    """The JSON operations of one app; subclass it for another library.

    A subclass has to provide :meth:`dumps` and :meth:`loads`. Set
    ``app.json_provider_class`` or ``app.json`` to use it.

    :param app: kept as a weak proxy, ``_app``.
    """

    def __init__(self, app: Any) -> None:
        self._app: Any = weakref.proxy(app)

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """*obj* as JSON text; *kwargs* go to the library."""
        raise NotImplementedError

    def dump(self, obj: Any, fp: IO[str], **kwargs: Any) -> None:
        """Write *obj* as JSON text to *fp*, a file opened for text."""
        fp.write(self.dumps(obj, **kwargs))

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """The value of the JSON text or UTF-8 bytes *s*."""
        raise NotImplementedError

    def load(self, fp: IO[AnyStr], **kwargs: Any) -> Any:
        """The value of the JSON in *fp*, a file opened for text or UTF-8 bytes."""
        return self.loads(fp.read(), **kwargs)

    def _prepare_response_obj(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if kwargs:
            if args:
                raise TypeError(
                    "app.json.response() takes either args or kwargs, not both"
                )
            return kwargs
        if len(args) == 1:
            return args[0]
        return args or None

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """A response with the arguments as JSON, of type ``application/json``.

        One positional argument is the value; several are a list; keyword arguments are
        an object; nothing is null. TypeError if both kinds are given.
        """
        obj = self._prepare_response_obj(args, kwargs)
        return self._app.response_class(  # type: ignore[no-any-return]
            self.dumps(obj), mimetype="application/json"
        )


class DefaultJSONProvider(JSONProvider):
    """The standard library's :mod:`json`, extended by :attr:`default`.

    Dates become HTTP dates (RFC 9110), ``Decimal`` and ``UUID`` text, dataclasses
    objects, and what has ``__html__`` (``Markup``) the text that it gives.
    """

    #: Called with what :mod:`json` cannot serialize; returns what it can, or raises
    #: TypeError.
    default: Callable[[Any], Any] = staticmethod(_default)

    #: Escape all that is not ASCII.
    ensure_ascii: bool = True

    #: Sort the keys of objects, which must then be of types that compare.
    sort_keys: bool = True

    #: Whether :meth:`response` leaves out indentation and spaces; None: unless in
    #: debug mode.
    compact: bool | None = None

    #: The mimetype of :meth:`response`.
    mimetype: str = "application/json"

    # (default, ensure_ascii, sort_keys) and the encoder that was made for them.
    _kept: tuple[Any, Any, Any, Any] | None = None

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """*obj* as JSON text; *kwargs* go to :func:`json.dumps`."""
        kwargs.setdefault("default", self.default)
        kwargs.setdefault("ensure_ascii", self.ensure_ascii)
        kwargs.setdefault("sort_keys", self.sort_keys)
        return _json.dumps(obj, **kwargs)

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """The value of *s*; *kwargs* go to :func:`json.loads`."""
        return _json.loads(s, **kwargs) if kwargs else read_json(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """As :meth:`JSONProvider.response`; :attr:`compact` and :attr:`mimetype` apply.

        The text ends with a newline.
        """
        obj = self._prepare_response_obj(args, kwargs)
        app = self._app
        compact = self.compact
        if compact is False or (compact is None and app.debug):
            text = self.dumps(obj, indent=2)
        elif self._has_stock_dumps():
            body = self._write_compact(obj) if compiled else None
            if body is not None:
                return app.response_class(body, mimetype=self.mimetype)  # type: ignore[no-any-return]
            text = self._dumps_compact(obj)
        else:
            text = self.dumps(obj, separators=(",", ":"))
        return app.response_class(  # type: ignore[no-any-return]
            f"{text}\n", mimetype=self.mimetype
        )

    def _has_stock_dumps(self) -> bool:
        return (
            type(self).dumps is _stock_provider_dumps
            and "dumps" not in self.__dict__
            and dumps_is_stock()
        )

    def _write_compact(self, obj: Any) -> bytes | None:
        return write_json(
            obj, bool(self.sort_keys), bool(self.ensure_ascii), False, True
        )

    def _dumps_compact(self, obj: Any) -> str:
        """``dumps(obj, separators=(",", ":"))`` with an encoder that is kept.

        PERF: 1.0 instead of 2.7 us for an object of five keys.
        """
        default = self.default
        kept = self._kept
        if (
            kept is None
            or kept[0] is not default
            or kept[1] is not self.ensure_ascii
            or kept[2] is not self.sort_keys
        ):
            # Only functions: a bound method would make a cycle with this object.
            if _stock_make_encoder is None or type(default) is not FunctionType:
                return self.dumps(obj, separators=(",", ":"))
            kept = self._kept = self._make_encoder(default)
        try:
            return "".join(kept[3](obj, 0))
        except RecursionError:
            # It does not look for circular references as json.dumps does.
            pass
        return self.dumps(obj, separators=(",", ":"))

    def _make_encoder(self, default: Any) -> tuple[Any, Any, Any, Any]:
        ensure_ascii = self.ensure_ascii
        sort_keys = self.sort_keys
        escape = (
            _encoder.encode_basestring_ascii
            if ensure_ascii
            else _encoder.encode_basestring
        )
        encode = _stock_make_encoder(
            None,  # markers: no check for circular references
            default,
            escape,
            None,  # indent
            ":",
            ",",
            bool(sort_keys),
            False,  # skipkeys
            True,  # allow_nan
        )
        return default, ensure_ascii, sort_keys, encode


_stock_provider_dumps = DefaultJSONProvider.dumps

#: What writes the text of the provider in the engine.
STOCK_TEXT = ProviderText(DefaultJSONProvider) if compiled else None


if TYPE_CHECKING:
    from ._json_libraries import MsgspecProvider as MsgspecProvider
    from ._json_libraries import ORJSONProvider as ORJSONProvider
else:

    def __getattr__(name):
        if name not in ("MsgspecProvider", "ORJSONProvider"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from . import _json_libraries

        return getattr(_json_libraries, name)


def _provider() -> Any:
    """The current app's provider, or None."""
    from .globals import current_app

    return current_app.json if current_app else None


def dumps(obj: Any, **kwargs: Any) -> str:
    """*obj* as JSON text, by the current app's provider if there is one."""
    provider = _provider()
    if provider is not None:
        text: str = provider.dumps(obj, **kwargs)
        return text
    kwargs.setdefault("default", _default)
    return _json.dumps(obj, **kwargs)


def dump(obj: Any, fp: IO[str], **kwargs: Any) -> None:
    """Write *obj* as JSON text to *fp*, by the current app's provider if any."""
    provider = _provider()
    if provider is not None:
        provider.dump(obj, fp, **kwargs)
        return
    kwargs.setdefault("default", _default)
    _json.dump(obj, fp, **kwargs)


def loads(s: str | bytes, **kwargs: Any) -> Any:
    """The value of *s*, by the current app's provider if there is one."""
    provider = _provider()
    if provider is not None:
        return provider.loads(s, **kwargs)
    return _json.loads(s, **kwargs)


def load(fp: IO[AnyStr], **kwargs: Any) -> Any:
    """The value of the JSON in *fp*, by the current app's provider if there is one."""
    provider = _provider()
    if provider is not None:
        return provider.load(fp, **kwargs)
    return _json.load(fp, **kwargs)
