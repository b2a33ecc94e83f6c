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


def test_what_few_programs_need_is_not_imported_with_it() -> None:
    program = (
        "import sys, blinker, itsdangerous, werkzeug.routing\n"
        "before = set(sys.modules)\n"
        "import fastdispatch\n"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    found = set(result.stdout.split())
    assert "fastdispatch" in found
    assert not found & {"asyncio", "decimal", "flask", "pathlib"}
