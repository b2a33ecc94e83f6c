"""What ``python -m fastdispatch`` says, and the package's metadata."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import fastdispatch


def test_the_module_prints_one_line_for_each_fact() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "fastdispatch"],
        capture_output=True,
        text=True,
        check=True,
    )
    facts = {}
    for line in result.stdout.splitlines():
        label, value = line.split(maxsplit=1)
        facts[label] = value
    build = "compiled" if fastdispatch.compiled else "pure"
    assert facts["fastdispatch"] == fastdispatch.__version__
    assert facts["build"].split()[0] == build
    assert facts["Python"].split()[1] == "{}.{}.{}".format(*sys.version_info)
    assert facts["Werkzeug"] == version("werkzeug")
    assert (facts["extensions"] == "-") == (build == "pure")
