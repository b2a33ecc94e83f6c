"""Say which build is tested, and refuse to test another one than was asked for.

``FASTDISPATCH_EXPECT=compiled|pure``   the build that has to be running
``FASTDISPATCH_EXPECT_INSTALLED=1``     the package must not come from the checkout
"""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path

import hypothesis
import pytest

import fastdispatch
from fastdispatch import _build
from fastdispatch import engine

HERE = Path(__file__).resolve().parent
PACKAGE = Path(fastdispatch.__file__).resolve().parent

# They need much that only `make extensions` installs.
collect_ignore = ["extensions"]

hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.register_profile(
    "ci", deadline=None, derandomize=True, max_examples=150, print_blob=True
)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


def stale_extensions() -> list[str]:
    """Extensions built in the checkout that are older than what they are made from."""
    if PACKAGE != HERE.parent / "src" / "fastdispatch":
        return []
    shared = [PACKAGE / "engine" / f"{name}.pxd" for name in engine.UNCOMPILED]
    stale = []
    for name, file in _build.running_extensions().items():
        sources = [PACKAGE / "engine" / f"{name}{end}" for end in (".py", ".pxd")]
        newest = max(p.stat().st_mtime for p in sources + shared if p.exists())
        if newest > Path(file).stat().st_mtime:
            stale.append(name)
    return stale


def disagreement() -> str | None:
    """Why this session would not test what it was asked to test."""
    running = "compiled" if fastdispatch.compiled else "pure"
    expected = os.environ.get("FASTDISPATCH_EXPECT", running)
    if expected not in ("compiled", "pure"):
        return f"FASTDISPATCH_EXPECT={expected!r}: must be compiled or pure"
    if expected != running:
        return f"the {expected} build was to be tested, and this is the {running} one"
    installed = os.environ.get("FASTDISPATCH_EXPECT_INSTALLED", "")
    if installed not in ("", "1"):
        return f"FASTDISPATCH_EXPECT_INSTALLED={installed!r}: must be 1 or unset"
    if installed and (
        PACKAGE.is_relative_to(HERE.parent) or "site-packages" not in PACKAGE.parts
    ):
        return f"the installed package was to be tested, and this is {PACKAGE}"
    stale = stale_extensions()
    if stale and "FASTDISPATCH_EXPECT" in os.environ:
        return f"older than their sources, build them again: {', '.join(stale)}"
    return None


def pytest_configure(config: pytest.Config) -> None:
    problem = disagreement()
    if problem is not None:
        raise pytest.UsageError(problem)


def pytest_report_header(config: pytest.Config) -> list[str]:
    lines = [f"{label}: {value}" for label, value in _build.report()]
    lines.append(f"Flask: {version('flask')}")
    if stale := stale_extensions():
        lines.append(f"STALE (older than their sources): {', '.join(stale)}")
    return lines
