"""Where an application lives on disk."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from typing import cast


def _package_path(import_name: str) -> str:
    """The folder that holds the top-level module or package of *import_name*."""
    root = import_name.partition(".")[0]
    try:
        spec = find_spec(root)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return os.getcwd()
    locations = spec.submodule_search_locations
    if locations is None:
        return os.path.dirname(spec.origin) if spec.origin else os.getcwd()
    if spec.origin not in {None, "namespace"}:
        return os.path.dirname(os.path.dirname(str(spec.origin)))
    # A namespace package has several folders: take the one that holds the module.
    inner = find_spec(import_name)
    if inner is not None and inner.submodule_search_locations:
        inner_path = os.path.commonpath(list(inner.submodule_search_locations))
        for location in locations:
            if _is_below(inner_path, location):
                return os.path.dirname(location)
    return os.path.dirname(next(iter(locations)))


def _is_below(path: str, folder: str) -> bool:
    """Whether *path* is *folder* or in it, going by their names alone."""
    inner, outer = (os.path.join(os.path.normcase(p), "") for p in (path, folder))
    return inner.startswith(outer)


def _prefix_of(path: str) -> str | None:
    """The prefix that *path* is installed below; None: it is not installed."""
    if _is_below(path, os.path.abspath(sys.prefix)):
        return os.path.abspath(sys.prefix)
    parent, folder = os.path.split(path)
    if folder.lower() != "site-packages":
        return None
    outer, name = os.path.split(parent)
    if name.lower() == "lib":
        return outer
    if os.path.basename(outer).lower() == "lib":
        return os.path.dirname(outer)
    return parent


def find_instance_path(import_name: str, name: str) -> str:
    """The instance folder of an app: ``instance`` beside its package.

    For an installed package it is ``var/NAME-instance`` below the prefix.
    """
    package_path = _package_path(import_name)
    prefix = _prefix_of(package_path)
    if prefix is None:
        return os.path.join(package_path, "instance")
    return os.path.join(prefix, "var", f"{name}-instance")


def get_root_path(import_name: str) -> str:
    """The folder of a module or package; the working directory if there is none.

    The module is not imported unless its loader does not tell the file.

    :raises RuntimeError: if it is a module without a file.
    """
    module = sys.modules.get(import_name)
    filename = getattr(module, "__file__", None)
    if filename is None:
        try:
            spec = find_spec(import_name)
        except (ImportError, ValueError):
            spec = None
        if spec is None or spec.loader is None:
            # __main__ of an interactive session, or a made-up name.
            return os.getcwd()
        if hasattr(spec.loader, "get_filename"):
            filename = cast(Any, spec.loader).get_filename(import_name)
        else:
            filename = getattr(import_module(import_name), "__file__", None)
    if filename is None:
        raise RuntimeError(
            f"No root path can be found for {import_name!r}: it is a namespace package,"
            " built in, or from an import hook that names no file. Give the root path"
            " explicitly, as 'root_path'."
        )
    return os.path.dirname(os.path.abspath(cast(str, filename)))
