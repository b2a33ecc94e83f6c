"""Nothing grows over a mix of requests, a part of the benchmark's million."""

from __future__ import annotations

import sys

import pytest
from bench.footprint.growth import growth

import fastdispatch

CANDIDATES = ["fastdispatch", "accelerated"]
if fastdispatch.compiled:
    CANDIDATES.append("fastdispatch-pure")


@pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="counts CPython's blocks of memory"
)
@pytest.mark.parametrize("candidate", CANDIDATES)
def test_a_mix_of_requests_leaves_nothing_behind(candidate: str) -> None:
    before, after = growth(candidate, 30_000)
    # What is kept of one request in a hundred would be 300.
    assert after.blocks - before.blocks < 100
    assert after.objects - before.objects < 100
