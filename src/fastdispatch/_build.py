"""What is running, and the pure build beside the compiled one."""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
import platform
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import version
from types import ModuleType

from . import engine

PURE_NAME = "fastdispatch_pure"


def load_pure() -> ModuleType:
    """Load the package a second time, as ``fastdispatch_pure``, from source.

    The two copies share nothing but Werkzeug and what else they import from outside:
    each has its own classes, proxies and context variables. For parity tests and
    benchmarks. Loaded once; later calls return the same copy.
    """
    loaded = sys.modules.get(PURE_NAME)
    if loaded is not None:
        return loaded
    package = sys.modules[engine.__name__.rpartition(".")[0]]
    assert package.__file__ is not None
    spec = importlib.util.spec_from_file_location(
        PURE_NAME, package.__file__, submodule_search_locations=list(package.__path__)
    )
    assert spec is not None
    assert spec.loader is not None
    engine.load_from_source(f"{PURE_NAME}.engine")
    module = importlib.util.module_from_spec(spec)
    sys.modules[PURE_NAME] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        for name in [n for n in sys.modules if n.partition(".")[0] == PURE_NAME]:
            del sys.modules[name]
        raise
    return module


def engine_files() -> dict[str, str | None]:
    """Each engine module, imported if need be, to the file it was loaded from."""
    files = {}
    for name in sorted(m.name for m in pkgutil.iter_modules(engine.__path__)):
        module = importlib.import_module(f"{engine.__name__}.{name}")
        files[name] = getattr(module, "__file__", None)
    return files


def running_extensions() -> dict[str, str]:
    """Each compiled engine module to its extension's file; empty in the pure build."""
    if not engine.compiled:
        return {}
    found = engine.find_extensions(engine.__path__)
    return {name: file for name, file in found.items() if file is not None}


def is_extension_file(file: str | None) -> bool:
    """Whether *file* is named as an extension module for this interpreter."""
    return file is not None and file.endswith(tuple(EXTENSION_SUFFIXES))


def build_line() -> str:
    """``compiled`` or ``pure``, and why."""
    if engine.compiled:
        return "compiled"
    if os.environ.get("FASTDISPATCH_PURE") == "1":
        return "pure (FASTDISPATCH_PURE=1)"
    if engine.is_without_gil() and any(
        engine.find_extensions(engine.__path__).values()
    ):
        return "pure (the GIL is off, which the compiled build relies on)"
    return (
        "pure (no extension modules for this interpreter; install with "
        "FASTDISPATCH_BUILD=require to see why)"
    )


def report() -> list[tuple[str, str]]:
    """What ``python -m fastdispatch`` prints: label and value, one line each."""
    package = sys.modules[engine.__name__.rpartition(".")[0]]
    extensions = running_extensions()
    places = sorted({os.path.dirname(file) for file in extensions.values()})
    return [
        ("fastdispatch", package.__version__),
        ("build", build_line()),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("Werkzeug", version("werkzeug")),
        ("extensions", f"{len(extensions)} in {', '.join(places)}" if places else "-"),
        ("package", os.path.dirname(package.__file__ or "")),
    ]
