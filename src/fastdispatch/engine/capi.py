"""Pure-Python equivalents of the C helpers declared in ``capi.pxd``.

Compiled modules never run these bodies: they cimport the inline C functions of the
same names.
"""

from __future__ import annotations

import operator
from binascii import a2b_base64
from binascii import b2a_base64
from contextvars import ContextVar
from contextvars import Token
from inspect import CO_COROUTINE
from types import CoroutineType
from types import FunctionType
from typing import Any
from urllib.parse import unquote_to_bytes

from .classes import type_version as type_version

#: Whether this is C. It is known when C is made, so that nothing is left there of what
#: is for Python alone, where a function called is what costs.
COMPILED = False

# What inspect.markcoroutinefunction sets.
MARK = "_is_coroutine_marker"

# Functions of C that do what the functions of these names in capi.pxd do.
contains = operator.contains
is_ascii = str.isascii
recall = dict.get  # of a key that a server puts in the same place each time
stored = dict.get
utf8 = str.encode
find_char = str.find
new_object = object.__new__
rfind_char = str.rfind
var_reset = ContextVar.reset
var_set = ContextVar.set
current = ContextVar.get  # of one that has a default
enter = ContextVar.set


def is_plain_function(func: Any) -> bool:
    """Whether *func* is a Python function that is surely not a coroutine function."""
    return (
        type(func) is FunctionType
        and not func.__code__.co_flags & CO_COROUTINE
        and MARK not in func.__dict__
    )


def call_hook(func: Any, app: Any, own: bool) -> Any:
    """``app.ensure_sync(func)()``; *own*: plain functions are left as they are.

    PERF: a coroutine that has not begun tells of its function in half the time that
    it takes to ask that one.
    """
    if own and type(func) is FunctionType and MARK not in func.__dict__:
        rv = func()
        if type(rv) is not CoroutineType or not func.__code__.co_flags & CO_COROUTINE:
            return rv
        rv.close()
    return app.ensure_sync(func)()


def call_hook_with(func: Any, app: Any, own: bool, value: Any) -> Any:
    """``app.ensure_sync(func)(value)``, likewise."""
    if own and type(func) is FunctionType and MARK not in func.__dict__:
        rv = func(value)
        if type(rv) is not CoroutineType or not func.__code__.co_flags & CO_COROUTINE:
            return rv
        rv.close()
    return app.ensure_sync(func)(value)


def start(start_response: Any, status: Any, first: Any, second: Any) -> Any:
    """``start_response(status, [first, second])``."""
    return start_response(status, [first, second])


def call_named(func: Any, args: dict[str, Any]) -> Any:
    """``func(**args)`` of a Python function and a dict."""
    return func(**args)


def call_by(cls: type, made: Any, parameters: tuple[tuple[str, Any], ...]) -> None:
    """Have calls of *cls* made by ``made(cls, *arguments)``, where that is quicker.

    :param made: a function of C, or one that nobody calls. It returns NotImplemented
        for a call to be made as ever, as those that do not fit *parameters* are.
    :param parameters: six names of parameters, each with its default.
    """


def is_decimal(text: str, start: int, stop: int) -> bool:
    r"""Whether ``text[start:stop]`` is one or more decimal digits of any script,
    as ``\d+`` in a regular expression."""
    return text[start:stop].isdecimal()


def table_get(table: Any, key: Any) -> Any:
    """What *table*, a mapping, has for *key*, or None; a defaultdict makes nothing."""
    if type(table) is dict:
        return table.get(key)
    return table[key] if key in table else None


table_recall = table_get  # of a key that is in the same place each time


def item(table: Any, key: Any) -> Any:
    """``table[key]``, of a table that is most often a dict of some class."""
    return table[key]


def is_underscored(name: Any) -> bool:
    """Whether *name* begins with an underscore, or may, being no plain str."""
    return type(name) is not str or name[:1] == "_"


def app_wide(table: Any) -> Any:
    """What a table of hooks has for the application: ``table_get(table, None)``."""
    return table[None] if None in table else None


def is_sole(obj: Any) -> bool:
    """Whether nobody but the caller's caller has *obj*, or anything set on it.

    False where that is not sure: there are weak references, or there is no GIL.
    """
    return False


def hide(obj: Any) -> None:
    """Have the garbage collector, which knows *obj*, show it to nobody."""


def show(obj: Any) -> None:
    """Undo :func:`hide`."""


def instance_dict(obj: Any) -> dict[str, Any] | None:
    """The instance attributes of *obj* if it has any, else None or an empty dict."""
    return obj.__dict__  # type: ignore[no-any-return]


def new_instance(cls: type) -> Any:
    """``cls.__new__(cls)``, for a class known not to define ``__new__`` in Python."""
    return cls.__new__(cls)  # type: ignore[call-overload]


def has_double_slash(text: str) -> bool:
    """Whether ``//`` is in *text*."""
    return "//" in text


MAX_TO_INT = 18  # characters that surely fit into 64 bits


def to_int(text: str, start: int) -> int:
    """``int(text[start:])``, which is decimal digits, perhaps a minus before them, and
    no longer than ``MAX_TO_INT``."""
    return int(text[start:])


def stored_at(target: Any, place: int, key: str) -> Any:
    """``dict.get(target, key)``, for an attribute's name.

    *place*: how many keys of *target* probably come before.
    """
    return dict.get(target, key)


def holds(
    target: Any, places: bytes, keys: tuple[Any, ...], values: tuple[Any, ...]
) -> bool:
    """Whether each of *values* is what *target* has for its key.

    *places*: how many keys of *target*, a dict, probably come before each.
    """
    for key, value in zip(keys, values, strict=True):
        if dict.get(target, key) is not value:
            return False
    return True


def address(obj: Any) -> int:
    """``id(obj)``."""
    return id(obj)


def dict_address(obj: Any) -> int:
    """The :func:`address` of what holds the instance attributes of *obj*."""
    return id(obj.__dict__)


def watch(table: Any) -> bool:
    """Have changes of *table* counted.

    False where nobody can count them, as those of a dict that looks up in its own way.
    """
    return False


def watch_type(cls: type) -> bool:
    """Have changes of *cls* and of its bases counted. False where nobody can."""
    return False


def watched_changes() -> int:
    """How often what is watched may have changed; 0 where nobody counts."""
    return 0


def append_value(target: Any, name: Any, value: Any) -> None:
    """Append *value* to the list that *target*, a dict of lists, has for *name*."""
    dict.setdefault(target, name, []).append(value)


def read_pairs(text: str, target: Any) -> bool:
    """Add the names and values of a query or an urlencoded form to *target*.

    ``urllib.parse.parse_qsl(text, keep_blank_values=True)``, where it is sure.

    :return: False if unsure: *target* is then worthless.
    """
    if not text.isascii():
        return False
    for pair in text.split("&"):
        if not pair:
            continue
        name, _, value = pair.partition("=")
        if "%" in pair or "+" in pair:
            try:
                name = unquote_to_bytes(name.replace("+", " ")).decode()
                value = unquote_to_bytes(value.replace("+", " ")).decode()
            except UnicodeDecodeError:
                return False
        append_value(target, name, value)
    return True


def read_cookies(text: str, target: Any) -> bool:
    """Add the cookies of a header to *target*, as ``werkzeug.http.parse_cookie`` does.

    It is sure of ASCII without quotes, tabs and spaces other than after a semicolon.

    :return: False if unsure: *target* is then worthless.
    """
    text = text.replace("; ", ";")
    if not text.isascii() or " " in text or "\t" in text or '"' in text:
        return False
    for pair in text.split(";"):
        name, _, value = pair.partition("=")
        if name:
            append_value(target, name, value)
    return True


def lacks_cookie(environ: Any, name: Any) -> bool:
    """Whether the cookies in *environ* surely have no *name* in them."""
    return False


def is_head(method: str) -> bool:
    """Whether a request method is HEAD."""
    return method == "HEAD"


def find_cookie(text: str, name: str) -> str | None:
    """The first cookie of that *name* in a header, as :func:`read_cookies` reads it.

    :return: "" if there is none; None if unsure.
    """
    if not name or not text.isascii() or '"' in text or "\t" in text:
        return None
    text = text.replace("; ", ";")
    if " " in text:
        return None
    start = f"{name}="
    for pair in text.split(";"):
        if pair.startswith(start):
            return pair[len(start) :]
        if pair == name:
            return ""
    return ""


def may_shrink(data: bytes) -> bool:
    """Whether zlib might save more than one byte. False: surely not."""
    # Two bytes of header, four of checksum, and what is the least that stands for more
    # than eight bytes: three bits, a literal of eight, a match of twelve, an end of
    # seven.
    return len(data) > 11


_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")


def to_base64(data: bytes) -> str:
    """*data* in URL-safe base64 (RFC 4648) without padding."""
    encoded = b2a_base64(data, newline=False).translate(_TO_URL)
    return encoded.rstrip(b"=").decode("ascii")


def from_base64(text: str, start: int) -> bytes | None:
    """What ``text[start:]`` has in it; None if that is not sure."""
    try:
        data = text[start:].encode("ascii").translate(_FROM_URL)
        return a2b_base64(data + b"=" * (-len(data) % 4), strict_mode=True)
    except ValueError:
        return None


def is_seen(obj: Any) -> bool:
    """Whether anybody has, or could get, *obj* but the caller of him who asks."""
    return True


def is_shared(obj: Any) -> bool:
    """Whether anybody has *obj* but who asks and one object that he knows of."""
    return True


def is_one_bytes(obj: Any) -> bool:
    """Whether *obj* is a list of one bytes."""
    return type(obj) is list and len(obj) == 1 and type(obj[0]) is bytes


def header_size(item: Any) -> int:
    """The length of a header's name; -1 unless *item* is a tuple of two of class str,
    the second without a line end."""
    if type(item) is tuple and len(item) == 2:
        name, value = item
        if type(name) is str and type(value) is str and not has_newline(value):
            return len(name)
    return -1


def has_newline(text: str) -> bool:
    """Whether *text* has a CR or LF, which no header value may have."""
    return "\n" in text or "\r" in text


def prove_cells(var: ContextVar[Any]) -> bool:
    """Have :func:`enter` and :func:`leave` replace what *var* holds, where nobody else
    can see it, rather than set *var* itself.

    *var* is then used through these two and :func:`current` alone.

    :return: whether this Python is found to be as that takes.
    """
    return False


def leave(var: ContextVar[Any], token: Any) -> None:
    """Put back the value from before :func:`enter`, which returned *token*.

    In another ``contextvars.Context``, too, as a copied task's is.
    """
    try:
        var.reset(token)
    except ValueError:
        before = token.old_value
        var.set(None if before is Token.MISSING else before)


def var_find(var: ContextVar[Any]) -> Any:
    """The value of a context variable here, or None."""
    return var.get(None)


def same_items(table: Any, names: Any, values: Any) -> bool:
    """Whether *table* has these very *values* under *names*; None: it has none."""
    return all(map(operator.is_, map(table.get, names), values))


def identical(values: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
    """Whether they are the same objects: a wrapper may claim to equal what it wraps."""
    return len(values) == len(others) and all(map(operator.is_, values, others))
