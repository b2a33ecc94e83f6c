"""Pure-Python equivalent of the JSON writer declared in ``cjson.pxd``.

Compiled modules never run this body: they cimport the inline C function of that name.
"""

from __future__ import annotations

from typing import Any


def write(
    obj: Any, sort_keys: bool, ensure_ascii: bool, spaced: bool, newline: bool
) -> bytes | None:
    """*obj* as JSON text in UTF-8, as :func:`json.dumps` writes it, where it is sure.

    It is sure of dict, list, tuple, str, int, float, bool and None and no subclass of
    them, with keys that are str, not nested deeply. In pure Python of nothing: the
    standard library's own C code is faster there.

    :param spaced: whether spaces follow commas and colons.
    :param newline: whether a newline ends the text.
    :return: None if unsure.
    """
    return None
