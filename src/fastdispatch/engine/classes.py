"""Whether a class is as it was, where its version number is not to be had: without C.

Python code can be told of a patch only by a metaclass, which a program's classes may
not have. But the interpreter looks a name up in a class again once that class or a base
of it has changed, and not before: it keeps what it has found, by a number that only C
can read. So :func:`watch` makes a class below the one to be watched, with a key in its
dict that notices that it has been looked at.
"""

from __future__ import annotations

import sys
from abc import ABCMeta
from collections.abc import Callable
from functools import cache
from itertools import count
from typing import Any
from weakref import ref

# No two classes have the same version, and later ones are greater, as C has it.
_versions = count(1)


# What has been seen of a class is the one item of a list: a number that is another one
# after a change, and may be without one. 0: nobody can tell. A list, because of what a
# class has of a class written in Python the interpreter does not keep where it is.


class _Unwatched:
    """A class of which nothing would be noticed."""

    def __init__(self, dying: ref[type] | None) -> None:
        self.seen = [0]
        self.below = self
        self.probe = int
        self.dying = dying


class _Watched:
    """A class with another one below it."""

    def __init__(self, below: type) -> None:
        self.below = below
        self.probe = _compiled("below.seen[0]", {"below": below})


class _Noticing(str):
    """A key in the dict of a class, in the way of another one that is equal to it.

    Whoever looks that one up there comes to this one first.
    """

    __slots__ = ("seen",)

    seen: list[int]
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        self.seen[0] = next(_versions)
        return False


def _below(cls: type) -> type:
    seen = [next(_versions)]
    key = _Noticing("seen")
    key.seen = seen
    below: type = type(cls)(
        f"_Watch_of_{cls.__name__}",
        (cls,),
        {"__slots__": (), "__module__": __name__, key: None, "seen": seen},
    )
    return below


def _compiled(expression: str, scope: dict[str, Any]) -> Callable[[], int]:
    # Compiled for itself, so that what the interpreter keeps is about these classes
    # alone: where it looks up in what it keeps of all classes, one may be in the way of
    # another, and would seem to change with each request.
    exec(f"def probe():\n return {expression}", scope)  # noqa: S102
    return scope["probe"]  # type: ignore[no-any-return]


@cache
def _notices() -> bool:
    """Whether this interpreter does as the module's docstring says."""
    if sys.hexversion < 0x030C0000 or (
        sys.hexversion < 0x030E0000 and "free-threading" in sys.version
    ):
        # What it finds in a class it keeps among that of all classes, where other names
        # push it out: each request would seem to follow a change.
        return False

    class Base:
        pass

    class Watched(Base):
        pass

    class Other(Watched):
        pass

    watched: Any = _below(Watched)

    def settled() -> int:
        return [watched.seen[0] for _ in range(20)][-1]  # type: ignore[no-any-return]

    def noticed(owner: Any, change: Callable[..., Any], *args: Any) -> bool:
        before = settled()
        if settled() != before:
            return False
        change(owner, "name", *args)
        _ = getattr(Watched, "name", None), getattr(Watched(), "name", None)
        return bool(settled() != before)

    return all(
        noticed(owner, setattr, 1)
        and noticed(owner, setattr, 2)
        and noticed(owner, delattr)
        for owner in (Watched, Base)
    ) and not noticed(Other, setattr, 1)


# By the address of a class: that of one watched is kept, of others taken out in time.
_watches: dict[int, Any] = {}


def _is_global(cls: type) -> bool:
    """Whether its module keeps *cls* alive, so that we may do so, too."""
    module = sys.modules.get(cls.__module__)
    return module is not None and any([value is cls for value in vars(module).values()])


def _begin(cls: type) -> Any:
    if (
        type(cls) in (type, ABCMeta)
        # A program that wants to know its subclasses does not want to know of this one.
        and not any(["__init_subclass__" in vars(base) for base in cls.__mro__[:-1]])
        and _is_global(cls)
        and _notices()
    ):
        made: Any = _Watched(_below(cls))
    elif isinstance(cls, type):
        address = id(cls)
        made = _Unwatched(ref(cls, lambda _: _watches.pop(address, None)))
    else:
        return _Unwatched(None)
    return _watches.setdefault(id(cls), made)


def watch(cls: type) -> Any:
    """What has ``seen``, a list of the version of *cls*: see :func:`type_version`."""
    found = _watches.get(id(cls))
    if found is None:
        found = _begin(cls)
    return found.below


def type_version(cls: type) -> int:
    """A number that changes when *cls* or a base is patched; 0 when unknown."""
    found = _watches.get(id(cls))
    if found is None:
        found = _begin(cls)
    return found.probe()  # type: ignore[no-any-return]


def total_version(classes: tuple[type, ...]) -> Callable[[], int]:
    """A function that sums the versions of *classes*; 0 where one is unknown.

    Versions only grow, so their sum stays the same only if each of them does.
    """
    watches = [watch(cls) for cls in classes]
    if not watches or any([type(found) is _Unwatched for found in watches]):
        return int
    scope: dict[str, Any] = {f"w{i}": found for i, found in enumerate(watches)}
    return _compiled(f"{'.seen[0] + '.join(scope)}.seen[0]", scope)
