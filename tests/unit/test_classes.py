"""Noticing that a class has changed, without C; both builds have the module."""

from __future__ import annotations

import gc
import platform
import sys
import sysconfig
import weakref
from abc import ABC
from typing import Any

import pytest

import fastdispatch
from fastdispatch.engine import classes
from fastdispatch.engine import plan


class Base:
    value = 1

    def method(self) -> None: ...


class Watched(Base):
    pass


class Below(Watched):
    pass


class Abstract(ABC):  # noqa: B024
    value = 1


class Registering:
    known: list[type] = []

    def __init_subclass__(cls) -> None:
        Registering.known.append(cls)


class Meta(type):
    pass


class Odd(metaclass=Meta):
    pass


first_without_gil = sys.version_info < (3, 14) and bool(
    sysconfig.get_config_var("Py_GIL_DISABLED")
)
cpython = pytest.mark.skipif(
    platform.python_implementation() != "CPython"
    or sys.version_info < (3, 12)
    or first_without_gil,
    reason="another interpreter may not notice; then classes are compared",
)


def settled(cls: type) -> int:
    """The version, once the interpreter has got used to where it is asked for."""
    return [classes.type_version(cls) for _ in range(200)][-1]


@cpython
@pytest.mark.parametrize("cls", [Watched, Abstract, fastdispatch.App])
def test_a_version_stays_while_nothing_changes(cls: type) -> None:
    assert settled(cls) > 0
    assert settled(cls) == settled(cls)


@cpython
@pytest.mark.parametrize("owner", [Watched, Base])
def test_a_patch_of_a_class_or_its_base_is_noticed(
    owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = settled(Watched)
    monkeypatch.setattr(owner, "value", 2)
    assert Watched().value == Watched.value == 2  # others look at it first
    set_ = settled(Watched)
    monkeypatch.setattr(owner, "value", 3)
    set_again = settled(Watched)
    monkeypatch.undo()
    assert before < set_ < set_again < settled(Watched)


@cpython
@pytest.mark.parametrize("name", ["__call__", "__init__", "method", "new"])
def test_whatever_is_patched(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = settled(Watched)
    monkeypatch.setattr(Base, name, lambda self: None, raising=False)
    assert settled(Watched) > before


@cpython
def test_what_is_not_of_the_class_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    before = settled(Watched)
    monkeypatch.setattr(Below, "value", 2, raising=False)
    Watched().value = 3
    assert settled(Watched) == before


@cpython
def test_no_two_classes_have_the_same_version() -> None:
    assert settled(Watched) != settled(Base)


def test_a_class_that_would_know_of_it_is_not_watched() -> None:
    assert classes.type_version(Registering) == 0
    assert Registering.known == []
    assert classes.type_version(Odd) == 0
    assert Odd.__subclasses__() == []


def test_a_class_that_may_die_is_not_watched() -> None:
    class Local:
        pass

    assert classes.type_version(Local) == 0
    assert type(classes._watches[id(Local)]) is classes._Unwatched
    assert Local.__subclasses__() == []


@pytest.mark.skipif(
    first_without_gil,
    reason="CPython 3.13 without a GIL keeps all classes once there are threads",
)
def test_a_class_that_may_die_does() -> None:
    class Local:
        pass

    assert classes.type_version(Local) == 0
    address = id(Local)
    dead = weakref.ref(Local)
    del Local
    gc.collect()
    assert dead() is None
    assert address not in classes._watches


@pytest.mark.parametrize(
    ("hexversion", "version"),
    [
        (0x030B09F0, "3.11.9 (main)"),
        (0x030D05F0, "3.13.5 experimental free-threading build (main)"),
    ],
)
def test_where_other_names_push_out_what_was_found_nothing_is_watched(
    hexversion: int, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "hexversion", hexversion)
    monkeypatch.setattr(sys, "version", version)
    assert classes._notices.__wrapped__() is False


def test_what_is_no_class_has_no_version() -> None:
    assert classes.type_version(len) == 0  # type: ignore[arg-type]


@cpython
def test_the_sum_of_versions_is_another_after_any_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    total = classes.total_version((Watched, Abstract))

    def settled_total() -> int:
        return [total() for _ in range(200)][-1]

    before = settled_total()
    assert before == settled_total() > 0
    monkeypatch.setattr(Abstract, "value", 2)
    assert settled_total() > before


def test_the_sum_is_unknown_where_one_is() -> None:
    assert classes.total_version((Watched, Odd))() == 0
    assert classes.total_version(())() == 0


class ClaimsEquality:
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


def test_a_comparer_takes_the_same_objects_only() -> None:
    names = ("value", "method.__name__")
    same = plan.comparer(names, (Base.value, Base.method.__name__))
    assert same(Base)
    assert same(Watched)

    class Claims(Base):
        value = ClaimsEquality()  # type: ignore[assignment]

    assert not same(Claims)
    assert not plan.never(Base)
    of_items = plan.comparer(("a", "b"), (1, None), "o.get('{}')")
    assert of_items({"a": 1})
    assert not of_items({"a": 1, "b": 2})


@cpython
def test_what_is_looked_up_elsewhere_is_not_taken_for_a_change() -> None:
    # The interpreter keeps so many names of all classes; ours would be among them.
    # What it has of an abstract class it does not keep where it is; that may seem to
    # change, which only has it looked at again.
    total = classes.total_version((Watched,))
    # It looks at the class as well, until the interpreter has got used to that, too.
    of_both = [total() for _ in range(200)][-1]
    before = settled(Watched), of_both
    for number in range(20_000):
        getattr(Base, f"name_{number}", None)
    assert before == (classes.type_version(Watched), total())
