"""The frameworks that the conformance tests run on, behind one set of names."""

from __future__ import annotations

import importlib
import types
import typing as t
from collections.abc import Callable

FLASK32 = "_cv_request" not in vars(importlib.import_module("flask.globals"))


class Framework:
    """One subject. Attributes are looked up in its package, then its submodules.

    ``App`` is its application class, ``native`` says whether it is ours, ``merged``
    whether one context holds application and request: in ours, and from Flask 3.2 on.
    """

    def __init__(
        self,
        name: str,
        load: Callable[[], types.ModuleType],
        *,
        native: bool,
        app: Callable[[types.ModuleType], type[t.Any]],
    ) -> None:
        self.name = name
        self.native = native
        self.flask32 = not native and FLASK32
        self.merged = native or FLASK32
        self.package = load()
        self.App: type[t.Any] = app(self.package)

    def __getattr__(self, name: str) -> t.Any:
        try:
            return getattr(self.package, name)
        except AttributeError as e:
            submodule = f"{self.package.__name__}.{name}"

            try:
                return importlib.import_module(submodule)
            except ModuleNotFoundError:
                raise e from None

    @property
    def request_ctx(self) -> t.Any:
        """Where the context of the request is found: ``request_ctx``, up to 3.2."""
        return self.globals.app_ctx if self.flask32 else self.globals.request_ctx

    def __repr__(self) -> str:
        return self.name


def _flask() -> types.ModuleType:
    return importlib.import_module("flask")


def _fastdispatch() -> types.ModuleType:
    return importlib.import_module("fastdispatch")


def _fastdispatch_pure() -> types.ModuleType:
    build = importlib.import_module("fastdispatch._build")
    module: types.ModuleType = build.load_pure()
    return module


def _app(package: types.ModuleType) -> type[t.Any]:
    cls: type[t.Any] = package.App
    return cls


def _flask_app(package: types.ModuleType) -> type[t.Any]:
    cls: type[t.Any] = package.Flask
    return cls


def _accelerated_app(package: types.ModuleType) -> type[t.Any]:
    """A Flask class whose every application is accelerated once it is made."""
    accelerate: Callable[[t.Any], t.Any] = _fastdispatch().accelerate

    class Accelerating(type):
        def __call__(cls, *args: t.Any, **kwargs: t.Any) -> t.Any:
            return accelerate(super().__call__(*args, **kwargs))

    class App(package.Flask, metaclass=Accelerating):  # type: ignore[name-defined,misc]
        pass

    return App


def _load() -> list[Framework]:
    native = [Framework("app-pure", _fastdispatch, native=True, app=_app)]

    if _fastdispatch().compiled:
        native = [
            Framework("app-compiled", _fastdispatch, native=True, app=_app),
            Framework("app-pure", _fastdispatch_pure, native=True, app=_app),
        ]

    return [
        *native,
        Framework("flask", _flask, native=False, app=_flask_app),
        Framework("flask-accelerated", _flask, native=False, app=_accelerated_app),
    ]


SUBJECTS = _load()
NATIVE = [subject for subject in SUBJECTS if subject.native]
FLASK = next(subject for subject in SUBJECTS if subject.name == "flask")
ACCELERATED = next(s for s in SUBJECTS if s.name == "flask-accelerated")
