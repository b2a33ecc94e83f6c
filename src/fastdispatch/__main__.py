"""``python -m fastdispatch``: which fastdispatch runs here, for a bug report.

``python -m fastdispatch explain module:app`` says what of a Flask application the
engine would run.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser

from . import _build
from ._accelerate import accelerate
from ._accelerate import explain
from ._load import load
from ._load import NoApplication


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        "python -m fastdispatch",
        description="Say which fastdispatch runs here, for a bug report.",
    )
    commands = parser.add_subparsers(dest="command", metavar="command")
    explaining = commands.add_parser(
        "explain",
        help="say what of a Flask application the engine would run",
        description="Say what of a Flask application the engine would run, and why.",
    )
    explaining.add_argument(
        "name", help="the application: module:app, or 'module:create_app()'"
    )
    return parser


def main(arguments: list[str]) -> int:
    """Run the command; the exit status is 2 where the arguments are wrong.

    What the program that is to be explained raises itself is raised.
    """
    options = _parser().parse_args(arguments)
    if options.command is None:
        for label, value in _build.report():
            print(f"{label:<13} {value}")
        return 0
    try:
        app = load(options.name)
    except NoApplication as error:
        print(error, file=sys.stderr)
        return 2
    try:
        accelerate(app)
    except (ModuleNotFoundError, TypeError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 2
    print(explain(app))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
