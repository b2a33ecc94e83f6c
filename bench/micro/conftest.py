"""Both builds in one process, as one parameter."""

from __future__ import annotations

from types import ModuleType

import pytest

import fastdispatch
from fastdispatch import _build

if not fastdispatch.compiled:
    raise pytest.UsageError("bench/micro compares the builds: build the compiled one")


@pytest.fixture(params=["compiled", "pure"])
def fd(request: pytest.FixtureRequest) -> ModuleType:
    """The package, compiled and then pure."""
    return fastdispatch if request.param == "compiled" else _build.load_pure()
