"""The notes example end to end, on each server and on ``app.run()``."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import EXAMPLES
from .conftest import servers_here
from .conftest import serving
from .scenario import use_the_notes


@pytest.mark.parametrize("name", servers_here())
def test_notes_end_to_end(name: str, tmp_path: Path) -> None:
    with (
        serving(name, "notes.wsgi:app", EXAMPLES, tmp_path) as server,
        server.client() as client,
    ):
        transcript = use_the_notes(client)
    assert len(transcript) > 50
    log = (tmp_path / "log").read_text(errors="replace")
    assert "Traceback" not in log
    assert (tmp_path / "notes.sqlite3").exists()
