"""Run Flask's own tests with ``flask`` standing for fastdispatch: ``make parity``.

The tests come from Flask's sdist, fetched when it is not yet in ``.cache``. What
fails has to be listed in docs/compatibility.md, by name and under its reason; what is
listed has to fail. Anything else ends this program with status 1.

This file is two things: the program, and the pytest plugin that it runs the tests
with, which puts the stand-ins for ``flask`` and its modules in place.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import os
import re
import subprocess
import sys
import tarfile
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any
from typing import NoReturn
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache"
LIST = ROOT / "docs" / "compatibility.md"

VERSION = "3.1.3"
SHA256 = "0ef0e52b8a9cd932855379197dd8f94047b359ca0a78695144304cb45f87c9eb"
MODULES = (
    "appctx",
    "async",
    "basic",
    "blueprints",
    "converters",
    "helpers",
    "json",
    "reqctx",
    "regression",
    "request",
    "session_interface",
    "signals",
    "subclassing",
    "testing",
    "user_error_handler",
    "views",
)
TIMEOUT = 600  # seconds for one build
REPORT = "FASTDISPATCH_PARITY_REPORT"
_report = os.environ.get(REPORT, "")  # now: some of the tests clear the environment

# Flask's modules, and where in our package their names are. The first that has a name
# gives it.
ALIASES = {
    "flask": ("",),
    "flask.app": ("app",),
    "flask.blueprints": ("blueprints",),
    "flask.config": ("config",),
    "flask.ctx": ("", "engine.context", "globals"),
    "flask.debughelpers": ("errors",),
    "flask.globals": ("globals",),
    "flask.helpers": ("helpers",),
    "flask.json": ("json",),
    "flask.json.provider": ("json",),
    "flask.json.tag": ("tag",),
    "flask.logging": ("logging",),
    "flask.sessions": ("sessions",),
    "flask.signals": ("signals",),
    "flask.testing": ("testing",),
    "flask.typing": ("typing",),
    "flask.views": ("views",),
    "flask.wrappers": ("wrappers",),
}


class StandIn(ModuleType):
    """A module of Flask's whose names are looked up in ours."""

    def __init__(self, name: str, places: tuple[str, ...]) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self.__modules = [
            importlib.import_module(f"fastdispatch.{place}".rstrip("."))
            for place in places
        ]

    def __getattr__(self, name: str) -> Any:
        if name == "Flask":
            name = "App"
        for module in self.__modules:
            try:
                return getattr(module, name)
            except AttributeError:
                continue
        raise AttributeError(f"{self.__name__!r} has no {name!r}")


class OutOfScope:
    """Imported by a test module for some of its tests: these fail, the others run."""

    def __init__(self, *args: object, **kwargs: object) -> NoReturn:
        raise NotImplementedError("the command line interface is out of scope")


class CurrentRequestContext:
    """In place of the context variable: ours is inside the engine."""

    @staticmethod
    def get(default: Any) -> Any:
        from fastdispatch import has_request_context
        from fastdispatch.globals import request_ctx

        proxy: Any = request_ctx
        return proxy._get_current_object() if has_request_context() else default


def put_stand_ins_in_place() -> None:
    """Import `fastdispatch` as `flask`, wherever a test names that."""
    for name, places in ALIASES.items():
        sys.modules[name] = StandIn(name, places)
    cli = ModuleType("flask.cli")
    vars(cli)["ScriptInfo"] = OutOfScope
    sys.modules["flask.cli"] = cli
    vars(sys.modules["flask.testing"])["FlaskCliRunner"] = OutOfScope
    vars(sys.modules["flask.globals"])["_cv_request"] = CurrentRequestContext
    for name in [*ALIASES, "flask.cli"]:
        parent, _, child = name.rpartition(".")
        if parent:
            vars(sys.modules[parent])[child] = sys.modules[name]


# The plugin. Reports go to a file, one test a line.


def check_build() -> None:
    """Raise RuntimeError unless the build runs that FASTDISPATCH_PURE asks for."""
    import fastdispatch

    if fastdispatch.compiled == (os.environ.get("FASTDISPATCH_PURE") == "1"):
        message = f"the other build runs: fastdispatch.compiled={fastdispatch.compiled}"
        raise RuntimeError(message)


def restore_notset() -> None:
    """Flask's conftest uses a name that pytest 9.2 has no more."""
    import _pytest.monkeypatch

    if not hasattr(_pytest.monkeypatch, "notset"):
        vars(_pytest.monkeypatch)["notset"] = vars(_pytest.monkeypatch)["NOTSET"]


def pytest_load_initial_conftests() -> None:
    """Take the place of ``flask`` before Flask's conftest imports it."""
    check_build()
    restore_notset()
    put_stand_ins_in_place()
    # Tests silence warnings by the module that gives them.
    filter_warnings = warnings.filterwarnings

    def filterwarnings(*args: Any, **kwargs: Any) -> None:
        named: list[Any] = list(args)
        if len(named) > 3:
            named[3] = re.sub(r"^flask\b", "fastdispatch", named[3])
        filter_warnings(*named, **kwargs)

    warnings.filterwarnings = filterwarnings


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed or report.skipped:
        _note(report.nodeid or "collection", report.outcome, report.longreprtext)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" or not report.passed:
        _note(report.nodeid, report.outcome, report.longreprtext)


def _note(name: str, outcome: str, text: str) -> None:
    with open(_report, "a", encoding="utf-8") as file:
        entry = [name.removeprefix("tests/"), outcome, text]
        file.write(json.dumps(entry) + "\n")


# The program.


def fetch_tests() -> Path:
    """Return the directory of Flask's tests, downloading its sdist if need be."""
    directory = CACHE / f"flask-{VERSION}"
    if not directory.exists():
        archive = CACHE / f"flask-{VERSION}.tar.gz"
        if not archive.exists():
            CACHE.mkdir(exist_ok=True)
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            source = ["--no-binary", ":all:", "--dest", str(CACHE), f"flask=={VERSION}"]
            subprocess.run([*pip, *source], check=True)
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        if digest != SHA256:
            sys.exit(f"{archive} has SHA-256 {digest}, not {SHA256}: delete it")
        with tarfile.open(archive) as tar:
            tar.extractall(CACHE, filter="data")
    return directory / "tests"


def run(
    plugin: str, tests: Path, build: str, arguments: list[str]
) -> dict[str, tuple[str, str]]:
    """Run tests on `build` with the pytest plugin `plugin`, a module beside this one.

    Returns outcome and traceback of each test by its name.
    """
    report = CACHE / f"{plugin}-{build}.jsonl"
    report.unlink(missing_ok=True)
    # Absolute, since the tests run in a directory of their own.
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    search = [os.path.abspath(p) for p in [os.path.dirname(__file__), *given] if p]
    environ = os.environ | {
        "FASTDISPATCH_PURE": str(int(build == "pure")),
        REPORT: str(report),
        "PYTHONPATH": os.pathsep.join(search),
    }
    completed = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", plugin, "-p", "no:cacheprovider"),
            *("-q", "--no-header", "--no-summary", "--tb=short", *arguments),
        ],
        cwd=tests,
        env=environ,
        timeout=TIMEOUT,
        check=False,
    )
    if completed.returncode not in (0, 1) or not report.exists():
        sys.exit(f"{build} build: pytest ended with status {completed.returncode}")
    outcomes: dict[str, tuple[str, str]] = {}
    for line in report.read_text(encoding="utf-8").splitlines():
        name, outcome, text = json.loads(line)
        # A test that passes and whose teardown fails has failed.
        if outcome != "passed" or name not in outcomes:
            outcomes[name] = (outcome, text)
    return outcomes


def listed_tests() -> list[str]:
    """Return the tests that docs/compatibility.md says fail."""
    pattern = re.compile(r"^- `(test_\w+\.py::[^`]+)`", re.MULTILINE)
    return pattern.findall(LIST.read_text(encoding="utf-8"))


def judge(outcomes: dict[str, tuple[str, str]], listed: list[str]) -> list[str]:
    """Return what disagrees with the list. A name without parameters means them all."""
    complaints = [
        f"{outcome}, and not listed: {name}"
        for name, (outcome, _) in sorted(outcomes.items())
        if outcome != "passed"
        and name not in listed
        and name.partition("[")[0] not in listed
    ]
    for name in listed:
        meant = [n for n in outcomes if name in (n, n.partition("[")[0])]
        if not meant:
            complaints.append(f"listed, and there is no such test: {name}")
        complaints += [
            f"listed, and it passes: {n}" for n in meant if outcomes[n][0] == "passed"
        ]
    return complaints


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--build", choices=("compiled", "pure"), action="append")
    parser.add_argument("--tracebacks", action="store_true", help="of what is unlisted")
    options, arguments = parser.parse_known_args()
    tests = fetch_tests()
    listed = listed_tests()
    status = 0
    for build in options.build or ("compiled", "pure"):
        modules = [f"test_{module}.py" for module in MODULES]
        outcomes = run("parity", tests, build, [*arguments, *modules])
        passed = sum(outcome == "passed" for outcome, _ in outcomes.values())
        complaints = judge(outcomes, listed)
        print(f"Flask {VERSION}'s tests on fastdispatch, {build} build:")
        print(f"  {passed}/{len(outcomes)} passed, {len(listed)} listed as failing")
        for complaint in complaints:
            status = 1
            print(f"  {complaint}")
            name = complaint.partition(": ")[2]
            if options.tracebacks and name in outcomes:
                print(outcomes[name][1])
    return status


if __name__ == "__main__":
    sys.exit(main())
