"""Dicts: pure-Python equivalents of the C helpers in ``cdicts.pxd``.

Compiled modules never run these bodies: they cimport the inline C functions of the
same names.
"""

from __future__ import annotations

import operator
from typing import Any

# Functions of C that do what the functions of these names in cdicts.pxd do.
recall = dict.get  # of a key that a server puts in the same place each time
stored = dict.get


def table_get(table: Any, key: Any) -> Any:
    """What *table*, a mapping, has for *key*, or None; a defaultdict makes nothing."""
    if type(table) is dict:
        return table.get(key)
    return table[key] if key in table else None


table_recall = table_get  # of a key that is in the same place each time


def item(table: Any, key: Any) -> Any:
    """``table[key]``, of a table that is most often a dict of some class."""
    return table[key]


def scoped(table: Any, name: Any) -> Any:
    """``table_get(table, name)`` of a table of hooks: *name* is a blueprint's, or None,
    which stands for the application."""
    return table[name] if name in table else None


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


def same_items(table: Any, names: Any, values: Any) -> bool:
    """Whether *table* has these very *values* under *names*; None: it has none."""
    return all(map(operator.is_, map(table.get, names), values))
