"""``python -m tests.extensions.programs NAME WHEN plain|accelerated``.

Run a program and print its log, in a process of its own: what instruments Flask does
it for good.
"""

from __future__ import annotations

import importlib
import json
import sys

from tests.extensions.support import run

if __name__ == "__main__":
    name, when, how = sys.argv[1:]
    module = importlib.import_module(f"tests.extensions.programs.{name}")
    result = run(module.program, when, how == "accelerated")
    print("RESULT " + json.dumps(result), flush=True)
