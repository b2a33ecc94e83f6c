"""Flask's tutorial program passes its own tests, plain and accelerated.

It comes from Flask's sdist, as Flask's own tests do (``tools/parity.py``).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools import parity

import fastdispatch

TOOLS = Path(parity.__file__).parent
TIMEOUT = 120.0  # seconds for one run of the tests
COUNT = "requests answered by the engine"


def outcomes(directory: Path, plain: bool) -> dict[str, str]:
    """Run the tests of a copy of the program; return how each has ended."""
    tutorial = parity.fetch_tests().parent / "examples" / "tutorial"
    shutil.copytree(tutorial, directory)
    report = directory / "report.jsonl"
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    search = [str(TOOLS), str(directory), *(os.path.abspath(p) for p in given if p)]
    environ = os.environ | {
        "FASTDISPATCH_FLASK_SUITE_PLAIN": str(int(plain)),
        "FASTDISPATCH_PURE": str(int(not fastdispatch.compiled)),
        "PYTHONPATH": os.pathsep.join(search),
        parity.REPORT: str(report),
    }
    environ.pop("PYTEST_ADDOPTS", None)
    completed = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "flask_suite", "-p", "no:cacheprovider"],
        cwd=directory,
        env=environ,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    lines = report.read_text(encoding="utf-8").splitlines()
    return {name: outcome for name, outcome, _ in map(json.loads, lines)}


def test_the_tutorial_passes_its_tests(tmp_path: Path) -> None:
    plain = outcomes(tmp_path / "plain", True)
    accelerated = outcomes(tmp_path / "accelerated", False)
    assert plain.pop(COUNT) == "0"
    assert int(accelerated.pop(COUNT)) > 20
    assert len(plain) > 20
    assert accelerated == plain
    assert set(plain.values()) == {"passed"}
