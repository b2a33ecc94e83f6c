"""``python -m fastdispatch``: which fastdispatch runs here, for a bug report.

``python -m fastdispatch explain module:app`` says what of a Flask application the
engine would run.
"""

from __future__ import annotations

import sys

from . import _build
from ._accelerate import accelerate
from ._accelerate import explain
from ._load import load


def main(arguments: list[str]) -> int:
    """Run the command; the exit status is 2 where the arguments are wrong."""
    if not arguments:
        for label, value in _build.report():
            print(f"{label:<13} {value}")
        return 0
    if len(arguments) != 2 or arguments[0] != "explain":
        print("usage: python -m fastdispatch [explain module:app]", file=sys.stderr)
        return 2
    try:
        table = explain(accelerate(load(arguments[1])))
    except (ValueError, ImportError, AttributeError, TypeError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 2
    print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
