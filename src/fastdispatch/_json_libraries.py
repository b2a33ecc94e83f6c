"""The JSON providers on other libraries: loaded when somebody names one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from typing import TYPE_CHECKING

from .json import _default
from .json import JSONProvider

if TYPE_CHECKING:
    from .wrappers import Response


class ORJSONProvider(JSONProvider):
    """JSON by `orjson`_, several times faster on large values.

    ImportError at creation if orjson is not installed. It differs from the default:
    text is UTF-8, not escaped; NaN and Infinity become null; integers beyond 64 bits
    and strings with lone surrogates are TypeErrors; keys that are not str need
    ``option |= orjson.OPT_NON_STR_KEYS``; :meth:`loads` refuses NaN and Infinity; the
    output is compact in debug mode too unless :attr:`option` says otherwise.

    .. _orjson: https://pypi.org/project/orjson/
    """

    #: Called with what orjson cannot serialize. Dates and dataclasses come here too, so
    #: that they look as they do from :class:`DefaultJSONProvider`.
    default: Callable[[Any], Any] = staticmethod(_default)

    #: The ``OPT_`` flags for orjson; None: sorted keys.
    option: int | None = None

    #: The mimetype of :meth:`response`.
    mimetype: str = "application/json"

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        try:
            import orjson
        except ImportError:
            raise ImportError(
                "ORJSONProvider needs orjson, which is not installed: pip install"
                " orjson, or use DefaultJSONProvider"
            ) from None
        self._orjson: Any = orjson

    def _dumps(self, obj: Any, option: int | None, default: Any) -> bytes:
        orjson = self._orjson
        if option is None:
            option = orjson.OPT_SORT_KEYS
        option |= orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
        encoded: bytes = orjson.dumps(obj, default, option)
        return encoded

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """*obj* as JSON text. Keyword arguments: ``default`` and ``option``."""
        default = kwargs.pop("default", self.default)
        option = kwargs.pop("option", self.option)
        _refuse("ORJSONProvider.dumps", "default and option", kwargs)
        return self._dumps(obj, option, default).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """The value of *s*. Takes no keyword arguments; ValueError if not JSON."""
        _refuse("ORJSONProvider.loads", "none", kwargs)
        return self._orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """As :meth:`JSONProvider.response`; :attr:`mimetype` applies."""
        obj = self._prepare_response_obj(args, kwargs)
        body = self._dumps(obj, self.option, self.default) + b"\n"
        return self._app.response_class(  # type: ignore[no-any-return]
            body, mimetype=self.mimetype
        )


class MsgspecProvider(JSONProvider):
    """JSON by `msgspec`_, which also knows its ``Struct`` types.

    ImportError at creation if msgspec is not installed. It differs from the default:
    dates and times are ISO 8601; text is UTF-8, not escaped; NaN and Infinity become
    null; there is no indentation; :meth:`loads` refuses NaN and Infinity and can check
    against a type.

    .. _msgspec: https://pypi.org/project/msgspec/
    """

    #: Called with what msgspec cannot serialize.
    default: Callable[[Any], Any] = staticmethod(_default)

    #: Sort the keys of objects.
    sort_keys: bool = True

    #: The mimetype of :meth:`response`.
    mimetype: str = "application/json"

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        try:
            import msgspec
        except ImportError:
            raise ImportError(
                "MsgspecProvider needs msgspec, which is not installed: pip install"
                " msgspec, or use DefaultJSONProvider"
            ) from None
        self._msgspec: Any = msgspec

    def _dumps(self, obj: Any, sort_keys: bool, default: Any) -> bytes:
        encoded: bytes = self._msgspec.json.encode(
            obj, enc_hook=default, order="sorted" if sort_keys else None
        )
        return encoded

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """*obj* as JSON text. Keyword arguments: ``default`` and ``sort_keys``."""
        default = kwargs.pop("default", self.default)
        sort_keys = kwargs.pop("sort_keys", self.sort_keys)
        _refuse("MsgspecProvider.dumps", "default and sort_keys", kwargs)
        return self._dumps(obj, sort_keys, default).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """The value of *s*, checked against ``type=`` if that is given.

        ValueError if it is not JSON or not of that type.
        """
        expected = kwargs.pop("type", Any)
        _refuse("MsgspecProvider.loads", "type", kwargs)
        return self._msgspec.json.decode(s, type=expected)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """As :meth:`JSONProvider.response`; :attr:`mimetype` applies."""
        obj = self._prepare_response_obj(args, kwargs)
        body = self._dumps(obj, self.sort_keys, self.default) + b"\n"
        return self._app.response_class(  # type: ignore[no-any-return]
            body, mimetype=self.mimetype
        )


def _refuse(where: str, known: str, kwargs: dict[str, Any]) -> None:
    if kwargs:
        raise TypeError(
            f"{where}() does not know {', '.join(sorted(kwargs))}; it takes these"
            f" keyword arguments: {known}"
        )
