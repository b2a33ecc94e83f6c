"""Text and bytes: pure-Python equivalents of the C helpers in ``ctext.pxd``.

Compiled modules never run these bodies: they cimport the inline C functions of the
same names.
"""

from __future__ import annotations

import operator
from binascii import a2b_base64
from binascii import b2a_base64
from typing import Any
from urllib.parse import unquote_to_bytes

from .cdicts import append_value

# Functions of C that do what the functions of these names in ctext.pxd do.
contains = operator.contains
is_ascii = str.isascii
utf8 = str.encode
find_char = str.find
rfind_char = str.rfind


def is_decimal(text: str, start: int, stop: int) -> bool:
    r"""Whether ``text[start:stop]`` is one or more decimal digits of any script,
    as ``\d+`` in a regular expression."""
    return text[start:stop].isdecimal()


def is_underscored(name: Any) -> bool:
    """Whether *name* begins with an underscore, or may, being no plain str."""
    return type(name) is not str or name[:1] == "_"


def has_double_slash(text: str) -> bool:
    """Whether ``//`` is in *text*."""
    return "//" in text


MAX_TO_INT = 18  # characters that surely fit into 64 bits


def to_int(text: str, start: int) -> int:
    """``int(text[start:])``, which is decimal digits, perhaps a minus before them, and
    no longer than ``MAX_TO_INT``."""
    return int(text[start:])


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
    if type(environ) is not dict or type(name) is not str:
        return False
    cookies = environ.get("HTTP_COOKIE")
    if cookies is None:
        return True
    if type(cookies) is not str or name in cookies:
        return False
    return cookies.isascii()


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
