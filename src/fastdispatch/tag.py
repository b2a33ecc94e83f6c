"""Tagged JSON: a compact text form that keeps more types than JSON has.

A value that JSON lacks is written as an object with one key, its tag:
``{" t": [1, 2]}`` is a tuple. The session cookie is written in it, with the same tags
as Flask's. For another type subclass :class:`JSONTag` and register it::

    class TagOrderedDict(JSONTag):
        key = " od"

        def check(self, value):
            return isinstance(value, OrderedDict)

        def to_json(self, value):
            return [[k, self.serializer.tag(v)] for k, v in value.items()]

        def to_python(self, value):
            return OrderedDict(value)

    # Before the tag of dicts, since an OrderedDict is one.
    app.session_interface.serializer.register(TagOrderedDict, index=0)
"""

from __future__ import annotations

import json
from base64 import b64decode
from base64 import b64encode
from datetime import datetime
from typing import Any
from typing import ClassVar
from uuid import UUID

from markupsafe import Markup
from werkzeug.http import http_date
from werkzeug.http import parse_date

from ._json_libraries import MsgspecProvider
from ._json_libraries import ORJSONProvider
from .engine import context
from .json import DefaultJSONProvider
from .json import dumps


class JSONTag:
    """How values of one type are tagged. The base of all tags."""

    __slots__ = ("serializer",)

    key: str = ""
    """The tag; empty for a class whose values need none, but have others in them."""

    def __init__(self, serializer: TaggedJSONSerializer) -> None:
        self.serializer = serializer

    def check(self, value: Any) -> bool:
        """Whether *value* is to be tagged by this class."""
        raise NotImplementedError

    def to_json(self, value: Any) -> Any:
        """*value* as a type that JSON has, without the tag."""
        raise NotImplementedError

    def to_python(self, value: Any) -> Any:
        """The value that :meth:`to_json` was given."""
        raise NotImplementedError

    def tag(self, value: Any) -> Any:
        """*value* as a type that JSON has, with the tag."""
        return {self.key: self.to_json(value)}


class TagDict(JSONTag):
    """A dict whose one key is a tag: the key gets two underscores more."""

    __slots__ = ()
    key = " di"

    def check(self, value: Any) -> bool:
        return (
            isinstance(value, dict)
            and len(value) == 1
            and next(iter(value)) in self.serializer.tags
        )

    def to_json(self, value: Any) -> Any:
        [(key, item)] = value.items()
        return {f"{key}__": self.serializer.tag(item)}

    def to_python(self, value: Any) -> Any:
        [(key, item)] = value.items()
        return {key[:-2]: item}


class PassDict(JSONTag):
    """Any other dict: its values are tagged."""

    __slots__ = ()

    def check(self, value: Any) -> bool:
        return isinstance(value, dict)

    def to_json(self, value: Any) -> Any:
        return {key: self.serializer.tag(item) for key, item in value.items()}

    tag = to_json


class TagTuple(JSONTag):
    """A tuple."""

    __slots__ = ()
    key = " t"

    def check(self, value: Any) -> bool:
        return isinstance(value, tuple)

    def to_json(self, value: Any) -> Any:
        return [self.serializer.tag(item) for item in value]

    def to_python(self, value: Any) -> Any:
        return tuple(value)


class PassList(JSONTag):
    """A list: its items are tagged."""

    __slots__ = ()

    def check(self, value: Any) -> bool:
        return isinstance(value, list)

    def to_json(self, value: Any) -> Any:
        return [self.serializer.tag(item) for item in value]

    tag = to_json


class TagBytes(JSONTag):
    """Bytes, in base64."""

    __slots__ = ()
    key = " b"

    def check(self, value: Any) -> bool:
        return isinstance(value, bytes)

    def to_json(self, value: Any) -> Any:
        return b64encode(value).decode("ascii")

    def to_python(self, value: Any) -> Any:
        return b64decode(value)


class TagMarkup(JSONTag):
    """What has an ``__html__`` method; it comes back as Markup."""

    __slots__ = ()
    key = " m"

    def check(self, value: Any) -> bool:
        return callable(getattr(value, "__html__", None))

    def to_json(self, value: Any) -> Any:
        return str(value.__html__())

    def to_python(self, value: Any) -> Any:
        return Markup(value)


class TagUUID(JSONTag):
    """A UUID."""

    __slots__ = ()
    key = " u"

    def check(self, value: Any) -> bool:
        return isinstance(value, UUID)

    def to_json(self, value: Any) -> Any:
        return value.hex

    def to_python(self, value: Any) -> Any:
        return UUID(value)


class TagDateTime(JSONTag):
    """A datetime, as an HTTP date: in UTC, without fractions of a second."""

    __slots__ = ()
    key = " d"

    def check(self, value: Any) -> bool:
        return isinstance(value, datetime)

    def to_json(self, value: Any) -> Any:
        return http_date(value)

    def to_python(self, value: Any) -> Any:
        return parse_date(value)


STOCK_TAGS: list[type[JSONTag]] = [
    TagDict,
    PassDict,
    TagTuple,
    PassList,
    TagBytes,
    TagMarkup,
    TagUUID,
    TagDateTime,
]
_STOCK_KEYS = frozenset(tag.key for tag in STOCK_TAGS if tag.key)

# No stock tag is for a value of one of these classes (exactly these).
_UNTAGGED = frozenset({str, int, float, bool, type(None)})


class TaggedJSONSerializer:
    """Dumps and loads JSON with tags for dict, tuple, bytes, Markup, UUID, datetime."""

    __slots__ = ("_stock_order", "order", "tags")

    default_tags: ClassVar[list[type[JSONTag]]] = STOCK_TAGS.copy()
    """The tags that a new serializer has, in the order in which they are asked."""

    def __init__(self) -> None:
        self.tags: dict[str, JSONTag] = {}
        self.order: list[JSONTag] = []
        for tag_class in self.default_tags:
            self.register(tag_class)
        # What `order` is as long as nobody has changed it.
        self._stock_order: list[JSONTag] | None = None
        if type(self) is TaggedJSONSerializer and self.default_tags == STOCK_TAGS:
            self._stock_order = self.order.copy()

    def register(
        self,
        tag_class: type[JSONTag],
        force: bool = False,
        index: int | None = None,
    ) -> None:
        """Add a tag.

        :param force: replace the tag that has the same key.
        :param index: where to put it in the order in which tags are asked whether a
            value is theirs; at the end if None.
        :raises KeyError: if the key is taken and *force* is off.
        """
        tag = tag_class(self)
        if tag.key:
            if tag.key in self.tags and not force:
                raise KeyError(f"Tag '{tag.key}' is already registered.")
            self.tags[tag.key] = tag
        self.order.insert(len(self.order) if index is None else index, tag)

    def tag(self, value: Any) -> Any:
        """*value* with tags where they are needed."""
        for tag in self.order:
            if tag.check(value):
                return tag.tag(value)
        return value

    def untag(self, value: dict[str, Any]) -> Any:
        """The value that a tagged dict stands for; any other dict as it is."""
        if len(value) == 1:
            [(key, item)] = value.items()
            if key in self.tags:
                return self.tags[key].to_python(item)
        return value

    def _untag_scan(self, value: Any) -> Any:
        if isinstance(value, dict):
            return self.untag({k: self._untag_scan(v) for k, v in value.items()})
        if isinstance(value, list):
            return [self._untag_scan(item) for item in value]
        return value

    def _is_untagged(self, value: Any) -> bool:
        """Whether the stock tags leave *value* as it is; False if that is not sure."""
        cls = type(value)
        if cls in _UNTAGGED:
            return True
        if cls is dict:
            if len(value) == 1 and next(iter(value)) in self.tags:
                return False
            items = value.values()
        elif cls is list:
            items = value
        else:
            return False
        for item in items:
            if type(item) not in _UNTAGGED and not self._is_untagged(item):
                return False
        return True

    def dumps(self, value: Any) -> str:
        """*value* as compact text, by the current app's JSON provider if any.

        The providers for orjson and msgspec are passed over: what they do to dates
        and keys would lose what the tags keep.
        """
        # PERF: 1.5 instead of 6.6 us for a session of three strings and numbers.
        if self.order != self._stock_order or not self._is_untagged(value):
            value = self.tag(value)
        ctx = context.current()
        provider = None if ctx is None else ctx.app.json
        if isinstance(provider, DefaultJSONProvider) and provider._has_stock_dumps():
            return provider._dumps_compact(value)
        if isinstance(provider, (ORJSONProvider, MsgspecProvider)):
            return _encode(value)
        return dumps(value, separators=(",", ":"))

    def loads(self, value: str) -> Any:
        """The value of a text that :meth:`dumps` returned."""
        ctx = context.current()
        provider = None if ctx is None else ctx.app.json
        if provider is None or _loads_like_json(provider):
            data = json.loads(value)
        else:
            data = provider.loads(value)
        if (
            '" ' not in value
            and "\\u0020" not in value
            and self._stock_order is not None
            and self.tags.keys() == _STOCK_KEYS
        ):
            # Every stock tag starts with a space, and no key does. PERF: 1.9 instead
            # of 3.5 us.
            return data
        return self._untag_scan(data)

    def is_stock(self, provider: Any) -> bool:
        """Whether tags, and JSON read by *provider*, are what they were to begin with.

        What is loaded then has no more keys than the text has.
        """
        return (
            self.order == self._stock_order
            and self.tags.keys() == _STOCK_KEYS
            and _loads_like_json(provider)
        )


_encode = json.JSONEncoder(
    default=DefaultJSONProvider.default, sort_keys=True, separators=(",", ":")
).encode
_stock_loads = DefaultJSONProvider.loads


def _loads_like_json(provider: Any) -> bool:
    """Whether *provider* loads text as :func:`json.loads` does, or stricter."""
    if isinstance(provider, (ORJSONProvider, MsgspecProvider)):
        return True
    return type(provider).loads is _stock_loads and "loads" not in provider.__dict__
