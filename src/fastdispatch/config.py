"""Configuration: a dict that can be filled from files, objects and the environment."""

from __future__ import annotations

import errno
import json
import os
import types
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from typing import cast
from typing import TYPE_CHECKING

from werkzeug.utils import import_string

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from typing import Generic
    from typing import IO
    from typing import overload
    from typing import Protocol
    from typing import TypeVar

    T = TypeVar("T")

    class _HasConfig(Protocol):
        @property
        def config(self) -> dict[str, Any]: ...

else:
    # PERF: what typing has takes a fortieth of what importing this package does.
    T = None
    Generic = {T: object}


@contextmanager
def _opened(path: str, mode: str) -> Iterator[IO[Any]]:
    """Open a file; an OSError says that it was to be the configuration."""
    try:
        with open(path, mode) as file:
            yield file
    except OSError as e:
        e.strerror = f"Unable to load configuration file ({e.strerror})"
        raise


def get_debug_flag() -> bool:
    """Whether the environment variable ``FLASK_DEBUG`` asks for debug mode."""
    value = os.environ.get("FLASK_DEBUG", "")
    return value.lower() not in {"", "0", "false", "no"}


class ConfigAttribute(Generic[T]):
    """An attribute that is an entry of its object's ``config``."""

    def __init__(
        self, name: str, get_converter: Callable[[Any], T] | None = None
    ) -> None:
        """Forward to ``config[name]``.

        :param get_converter: applied to the value when it is read.
        """
        self.__name__ = name
        self.get_converter = get_converter

    if not TYPE_CHECKING:

        def __class_getitem__(cls, item):
            return cls

    if TYPE_CHECKING:

        @overload
        def __get__(
            self, obj: None, owner: type[Any] | None = None
        ) -> ConfigAttribute[T]: ...

        @overload
        def __get__(self, obj: _HasConfig, owner: type[Any] | None = None) -> T: ...

    def __get__(
        self, obj: _HasConfig | None, owner: type[Any] | None = None
    ) -> T | ConfigAttribute[T]:
        if obj is None:
            return self
        value = obj.config[self.__name__]
        if self.get_converter is not None:
            return self.get_converter(value)
        return cast("T", value)

    def __set__(self, obj: _HasConfig, value: Any) -> None:
        obj.config[self.__name__] = value


class Config(dict[str, Any]):
    """A dict of settings, with ways to load them.

    Loading from files, objects and mappings takes upper-case keys only, so that a
    configuration module may have other names in it.
    """

    def __init__(
        self,
        root_path: str | os.PathLike[str],
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        """Start with *defaults*.

        :param root_path: the directory that relative file names are relative to.
        """
        super().__init__(defaults or {})
        self.root_path = root_path

    def from_envvar(self, variable_name: str, silent: bool = False) -> bool:
        """Load the Python file that an environment variable names.

        :param silent: return False instead of raising when the variable is unset or
            the file missing.
        :raises RuntimeError: if the variable is not set.
        :raises OSError: if the file cannot be read.
        """
        filename = os.environ.get(variable_name)
        if filename:
            return self.from_pyfile(filename, silent=silent)
        if silent:
            return False
        raise RuntimeError(
            f"The environment variable {variable_name!r} is not set, so the"
            " configuration cannot be loaded. Set it to the path of a configuration"
            " file."
        )

    def from_prefixed_env(
        self, prefix: str = "FLASK", *, loads: Callable[[str], Any] = json.loads
    ) -> bool:
        """Load the environment variables that start with *prefix* and an underscore.

        Keys lose the prefix. A double underscore in a key leads into a nested dict,
        made where there is none: ``FLASK_DB__HOST`` is ``config["DB"]["HOST"]``.

        :param loads: turns a value's text into the value. Where it raises, the text
            is the value.
        :return: True.
        :raises TypeError: if a key leads into something that is not a dict.
        """
        prefix += "_"
        for variable in sorted(os.environ):
            if not variable.startswith(prefix):
                continue
            value: Any = os.environ[variable]
            try:
                value = loads(value)
            except Exception:
                pass
            *parents, key = variable.removeprefix(prefix).split("__")
            place: Any = self
            for parent in parents:
                if parent not in place:
                    place[parent] = {}
                place = place[parent]
                if not isinstance(place, dict):
                    raise TypeError(
                        f"The environment variable {variable!r} sets a key of"
                        f" {parent!r}, which is not a dict but {place!r}."
                    )
            place[key] = value
        return True

    def from_pyfile(
        self, filename: str | os.PathLike[str], silent: bool = False
    ) -> bool:
        """Run a Python file and load its upper-case names.

        :param filename: absolute, or relative to the root path.
        :param silent: return False instead of raising when there is no such file.
        :return: True.
        :raises OSError: if the file cannot be read.
        """
        path = os.path.join(self.root_path, filename)
        try:
            with _opened(path, "rb") as file:
                source = file.read()
        except OSError as e:
            if silent and e.errno in (errno.ENOENT, errno.EISDIR, errno.ENOTDIR):
                return False
            raise
        module = types.ModuleType("config")
        module.__file__ = path
        exec(compile(source, path, "exec"), module.__dict__)
        self.from_object(module)
        return True

    def from_object(self, obj: object) -> None:
        """Load the upper-case attributes of a module, class or other object.

        :param obj: the object, or its import name as a string.
        :raises ImportError: if there is no object of that name.
        """
        if isinstance(obj, str):
            obj = import_string(obj)
        for key in dir(obj):
            if key.isupper():
                self[key] = getattr(obj, key)

    def from_file(
        self,
        filename: str | os.PathLike[str],
        load: Callable[[IO[Any]], Mapping[str, Any]],
        silent: bool = False,
        text: bool = True,
    ) -> bool:
        """Load a file with ``json.load``, ``tomllib.load`` or the like.

        :param filename: absolute, or relative to the root path.
        :param load: takes the open file, returns a mapping.
        :param silent: return False instead of raising when there is no such file.
        :param text: open the file as text rather than as bytes.
        :return: True.
        :raises OSError: if the file cannot be read.
        """
        path = os.path.join(self.root_path, filename)
        try:
            with _opened(path, "r" if text else "rb") as file:
                mapping = load(file)
        except OSError as e:
            if silent and e.errno in (errno.ENOENT, errno.EISDIR):
                return False
            raise
        return self.from_mapping(mapping)

    def from_mapping(
        self,
        mapping: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None,
        **kwargs: Any,
    ) -> bool:
        """Load the items of *mapping*, then *kwargs*, whose keys are upper-case.

        :return: True.
        """
        items: dict[str, Any] = {}
        if mapping is not None:
            items.update(mapping)
        items.update(kwargs)
        self.update((key, value) for key, value in items.items() if key.isupper())
        return True

    def get_namespace(
        self, namespace: str, lowercase: bool = True, trim_namespace: bool = True
    ) -> dict[str, Any]:
        """The items whose keys start with *namespace*, as a new dict.

        :param lowercase: make the keys of the result lower-case.
        :param trim_namespace: leave the namespace out of them.
        """
        found = {}
        for key, value in self.items():
            if key.startswith(namespace):
                if trim_namespace:
                    key = key.removeprefix(namespace)
                found[key.lower() if lowercase else key] = value
        return found

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {super().__repr__()}>"


_NUMBER = (int, float)
_NONE = type(None)

# What the settings must be that would fail only when they are used, far from here.
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "APPLICATION_ROOT": ((str,), "a str that begins with a slash"),
    "MAX_CONTENT_LENGTH": ((*_NUMBER, _NONE), "an int, in bytes, or None"),
    "MAX_COOKIE_SIZE": ((*_NUMBER, _NONE), "an int, in bytes"),
    "MAX_FORM_MEMORY_SIZE": ((*_NUMBER, _NONE), "an int, in bytes, or None"),
    "MAX_FORM_PARTS": ((*_NUMBER, _NONE), "an int or None"),
    "PERMANENT_SESSION_LIFETIME": ((*_NUMBER, timedelta), "an int or a timedelta"),
    "SEND_FILE_MAX_AGE_DEFAULT": (
        (*_NUMBER, timedelta, _NONE),
        "an int, in seconds, a timedelta or None",
    ),
    "SERVER_NAME": ((str, _NONE), "a str such as 'localhost:5000' or None"),
    "SESSION_COOKIE_DOMAIN": ((str, _NONE), "a str or None"),
    "SESSION_COOKIE_NAME": ((str,), "a str"),
    "SESSION_COOKIE_PATH": ((str, _NONE), "a str or None"),
    "SESSION_COOKIE_SAMESITE": ((str, _NONE), "'Lax', 'Strict', 'None' or None"),
    "TRUSTED_HOSTS": ((list, tuple, set, frozenset, str, _NONE), "a list of str"),
}


def complaints(config: Mapping[str, Any], *keys: str) -> Iterator[str]:
    """A sentence for each setting whose value is of a type that cannot be used.

    :param keys: the settings to look at; all, if there are none.
    """
    for key in keys or _KINDS:
        value = config.get(key)
        types, wanted = _KINDS[key]
        if key in config and not isinstance(value, types):
            yield (
                f"{key} in the config must be {wanted}, not {value!r}, which is of type"
                f" {type(value).__name__}."
            )


def check(config: Mapping[str, Any], *keys: str) -> None:
    """Raise TypeError for the first of these settings that cannot be used."""
    for complaint in complaints(config, *keys):
        raise TypeError(complaint)
