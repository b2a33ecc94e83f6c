"""The hot path, and which build of it runs: ``compiled``.

Each engine module is a ``.py`` file that may have been compiled to an extension module
beside it. ``FASTDISPATCH_PURE`` chooses at run time:

unset   the extensions where there are any (all of them or none: a partly compiled
        engine is an ImportError)
``1``   the ``.py`` files, though there are extensions
``0``   the extensions; an ImportError where there are none
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.machinery import FileFinder
from importlib.machinery import SOURCE_SUFFIXES
from importlib.machinery import SourceFileLoader
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

#: Engine modules that are Python in both builds: what they hold for C is in their
#: .pxd, and inlined where it is used; classes has none, as C does not load it.
UNCOMPILED = frozenset({"capi", "cdicts", "cjson", "classes", "ctext", "cvars"})


def is_source_only(package: str) -> bool:
    """Whether *package*'s modules are loaded from source, whatever is beside it."""
    return any(
        getattr(finder, "source_only_package", None) == package
        for finder in sys.meta_path
    )


def load_from_source(package: str) -> None:
    """Have *package*'s modules, none of them imported yet, loaded from source."""
    if is_source_only(package):
        return

    class SourceOnly:
        """A meta path finder that loads one package from ``.py`` files."""

        def __init__(self, package: str) -> None:
            self.source_only_package = package

        def find_spec(
            self,
            fullname: str,
            path: Sequence[str] | None,
            target: ModuleType | None = None,
        ) -> ModuleSpec | None:
            if path is None or fullname.rpartition(".")[0] != self.source_only_package:
                return None
            for folder in path:
                finder = FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES))
                spec = finder.find_spec(fullname)
                if spec is not None:
                    return spec
            return None

    sys.meta_path.insert(0, SourceOnly(package))


def find_extensions(path: Sequence[str]) -> dict[str, str | None]:
    """Name of a module in *path* to the file of its extension, or None.

    PERF: the import system's own finders took half a millisecond to say the same.
    """
    endings = tuple(EXTENSION_SUFFIXES)
    found: dict[str, str | None] = {}
    for folder in path:
        try:
            files = os.listdir(folder)
        except OSError:
            # An archive: no extension is loaded from one.
            continue
        for file in files:
            if file.endswith(".py"):
                name = file[:-3]
                if name != "__init__" and name not in UNCOMPILED:
                    found.setdefault(name, None)
            elif file.endswith(endings):
                found[file.partition(".")[0]] = f"{folder}{os.sep}{file}"
    return found


def is_without_gil() -> bool:
    """Whether the interpreter was told to have no GIL, whatever is imported."""
    return getattr(sys.flags, "gil", None) == 0


def _choose() -> bool:
    """Whether the compiled build runs; ImportError where that cannot be said."""
    choice = os.environ.get("FASTDISPATCH_PURE", "")
    if choice not in ("", "0", "1"):
        raise ImportError(f"FASTDISPATCH_PURE={choice!r}: must be 0, 1 or unset")
    if choice == "1":
        load_from_source(__name__)
    if is_source_only(__name__):
        return False
    extensions = find_extensions(__path__)
    files = [file for file in extensions.values() if file is not None]
    missing = sorted(name for name, file in extensions.items() if file is None)
    if files and missing:
        raise ImportError(
            f"{__name__} is only partly compiled: there is no extension for "
            f"{', '.join(missing)} beside {', '.join(files)}. Build all of it again, "
            "or delete those files, or set FASTDISPATCH_PURE=1 to run the .py files."
        )
    if choice == "0" and not files:
        raise ImportError(
            f"FASTDISPATCH_PURE=0 asks for the compiled build, but {__name__} has no "
            "extension modules for this interpreter. Install it again with "
            "FASTDISPATCH_BUILD=require to see why, or unset FASTDISPATCH_PURE."
        )
    if files and is_without_gil():
        if choice == "0":
            raise ImportError(
                "FASTDISPATCH_PURE=0 asks for the compiled build, which relies on the "
                "global interpreter lock, and PYTHON_GIL=0 or -X gil=0 keeps that off. "
                "Unset one of the two."
            )
        load_from_source(__name__)
        return False
    return bool(files)


#: Whether the engine's modules are extension modules.
compiled: bool = _choose()
