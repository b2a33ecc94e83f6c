from __future__ import annotations

import pytest
from tests.conformance.subjects import SUBJECTS


@pytest.fixture(params=SUBJECTS, ids=repr)
def fw(request: pytest.FixtureRequest):
    """Each subject in turn: the builds that are there, and Flask."""
    return request.param
