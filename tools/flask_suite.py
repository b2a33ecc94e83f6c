"""Run Flask's own tests with every application accelerated: ``make flask-suite``.

They run on plain Flask first, then on both builds. Exactly those tests have to pass
accelerated that pass plain, and the engine has to have answered requests; anything
else ends this program with status 1. All tests run, none is left out.

The tests are those of Flask 3.1.3's sdist, or with ``--source DIRECTORY`` those of the
Flask whose source is there, and which has to be the one that is installed.

This file is two things: the program, and the pytest plugin that it runs the tests
with, which accelerates each ``flask.Flask`` as soon as that is made.
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import parity
from packaging.version import Version
from parity import pytest_collectreport  # noqa: F401
from parity import pytest_runtest_logreport  # noqa: F401

PLAIN = "FASTDISPATCH_FLASK_SUITE_PLAIN"
COUNT = "requests answered by the engine"


# The plugin. Reports go to a file, one test a line.

requests = 0


def pytest_load_initial_conftests() -> None:
    """Accelerate what ``flask.Flask`` makes, unless plain Flask is to be tested."""
    parity.restore_notset()
    if os.environ.get(PLAIN) != "1":
        parity.check_build()
        accelerate_all()


def accelerate_all() -> None:
    """Have ``flask.Flask`` accelerate, and count what the engine answers."""
    import flask

    from fastdispatch import accelerate
    from fastdispatch.flask import Engine

    init: Any = flask.Flask.__init__
    call: Any = Engine.__call__

    @functools.wraps(init)
    def __init__(self: flask.Flask, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        accelerate(self)

    def __call__(self: Engine, environ: Any, start_response: Any) -> Any:
        global requests
        requests += 1
        return call(self, environ, start_response)

    vars_of_flask: Any = flask.Flask
    vars_of_flask.__init__ = __init__
    vars_of_engine: Any = Engine
    vars_of_engine.__call__ = __call__


def pytest_sessionfinish() -> None:
    parity._note(COUNT, str(requests), "")


# The program.


def judge(
    plain: dict[str, tuple[str, str]], accelerated: dict[str, tuple[str, str]]
) -> list[str]:
    """The names of tests that do not end as they do on plain Flask."""
    return [
        name
        for name in sorted(plain.keys() | accelerated.keys())
        if plain.get(name, ("absent",))[0] != accelerated.get(name, ("absent",))[0]
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--build", choices=("compiled", "pure"), action="append")
    parser.add_argument("--tracebacks", action="store_true", help="of what differs")
    parser.add_argument("--source", type=Path, help="of the Flask that is installed")
    options, arguments = parser.parse_known_args()
    source: Path | None = options.source
    wanted = parity.VERSION if source is None else version_of(source)
    if (installed := version("flask")) != wanted:
        sys.exit(f"Flask {installed} is installed, the tests are of {wanted}")
    tests = parity.fetch_tests() if source is None else source.resolve() / "tests"
    versions = f"Werkzeug {version('werkzeug')}, pytest {version('pytest')}"
    print(f"Flask {wanted}'s own tests ({versions}):", flush=True)

    os.environ[PLAIN] = "1"
    plain = parity.run("flask_suite", tests, "plain", arguments)
    del os.environ[PLAIN]
    plain.pop(COUNT)
    status = 0
    lines = [summary("plain Flask", plain)]
    for build in options.build or ("compiled", "pure"):
        outcomes = parity.run("flask_suite", tests, build, arguments)
        count = int(outcomes.pop(COUNT)[0])
        lines.append(summary(f"accelerated, {build} build", outcomes))
        lines[-1] += f"; {count} {COUNT}"
        if count == 0:
            status = 1
            lines.append("  the engine has answered nothing: nothing was tested")
        for name in judge(plain, outcomes):
            status = 1
            was, text = plain.get(name, ("absent", ""))
            now, text = outcomes.get(name, ("absent", text))
            lines.append(f"  {was} on plain Flask, {now} here: {name}")
            if options.tracebacks:
                lines.append(text)
    print("\n".join(lines))
    if not any(outcome == "passed" for outcome, _ in plain.values()):
        print("no test passed on plain Flask")
        status = 1
    return status


def version_of(source: Path) -> str:
    """The version of the Flask whose source is in *source*, as pip spells it."""
    metadata = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))
    spelled: str = metadata["project"]["version"]
    return str(Version(spelled))


def summary(what: str, outcomes: dict[str, tuple[str, str]]) -> str:
    """How many have passed, and the names of those that have not."""
    rest = [f"{o} {name}" for name, (o, _) in sorted(outcomes.items()) if o != "passed"]
    passed = len(outcomes) - len(rest)
    named = f" ({', '.join(rest)})" if rest else ""
    return f"{what}: {passed}/{len(outcomes)} passed{named}"


if __name__ == "__main__":
    sys.exit(main())
