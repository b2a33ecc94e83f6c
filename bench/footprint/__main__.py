"""``python -m bench.footprint``: import time, memory, size, and what grows.

Each number comes from a fresh interpreter, the subjects in turn. Compiled Python files
are kept in a directory of the run's own, so that nobody's import has to compile.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

from ..candidates import about
from ..timing import dumps
from . import report
from .growth import growth
from .growth import MIX
from .growth import WARM_UP
from .subjects import IMPORT
from .subjects import MEMORY
from .subjects import NEEDED
from .subjects import NEEDS
from .subjects import REQUESTS
from .subjects import SUBJECTS
from .subjects import TREE

ROOT = Path(__file__).parents[2]
GROWN = ("fastdispatch", "fastdispatch-pure", "accelerated")
INSTALLED = ("bottle", "falcon", "flask", "jinja2", "click", "werkzeug", "itsdangerous")
TIMEOUT = 300  # seconds for one interpreter
START_UP = "what the interpreter imports by itself"
TREE_LINE = re.compile(r"import time: +(\d+) \| +\d+ \| ( *)(\S+)$")


class Failed(Exception):
    """A subject's interpreter failed; the message is what it wrote."""


def run(arguments: list[str], cache: Path) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter that finds this checkout; ``Failed`` if it fails."""
    search = [str(ROOT), *(os.path.abspath(p) for p in sys.path if p)]
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(search),
        "PYTHONPYCACHEPREFIX": str(cache),
    }
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=TIMEOUT
    )
    if done.returncode:
        raise Failed(f"{arguments[-1]!r:.60}…: {done.stderr.strip()[-500:]}")
    return done


def program(text: str, subject: str, **more: object) -> list[str]:
    """The arguments that run *text* on a subject."""
    modules, source = SUBJECTS.get(subject, (NEEDED, ""))
    return ["-c", text.format(modules=modules, program=source, **more)]


def imports(rounds: int, repeats: int, cache: Path) -> dict[str, list[float]]:
    """Subject → milliseconds of its import: the least of each round."""
    subjects = [*SUBJECTS, NEEDS]
    found: dict[str, list[float]] = {name: [] for name in subjects}
    for name in subjects:  # compiles what is not compiled yet
        run(program(IMPORT, name), cache)
    for _ in range(rounds):
        best = dict.fromkeys(subjects, float("inf"))
        for _ in range(repeats):
            for name in subjects:
                took = float(run(program(IMPORT, name), cache).stdout) * 1000
                best[name] = min(best[name], took)
        for name, value in best.items():
            found[name].append(value)
    return found


def by_package(lines: Iterable[str]) -> dict[str, int]:
    """What ``-X importtime`` wrote, in µs by the package that brought a module along.

    A module of the standard library counts for the package that imported it first.
    """
    parents: list[tuple[int, str]] = []  # depth and package of those still to end
    found: Counter[str] = Counter()
    rows = [match for line in lines if (match := TREE_LINE.search(line))]
    for match in reversed(rows):  # a module is written after all that it imports
        depth = len(match[2])
        while parents and parents[-1][0] >= depth:
            parents.pop()
        package = match[3].partition(".")[0]
        importer = parents[-1][1] if parents else ""
        if package in sys.stdlib_module_names or importer == START_UP:
            package = importer or START_UP
        elif match[3].startswith("fastdispatch.engine"):
            package = "fastdispatch.engine"
        parents.append((depth, package))
        found[package] += int(match[1])
    del found[START_UP]
    return dict(found)


def shares(rounds: int, cache: Path) -> dict[str, dict[str, float]]:
    """Subject → package → milliseconds, the least over the rounds."""
    found: dict[str, list[dict[str, int]]] = {name: [] for name in SUBJECTS}
    for _ in range(rounds):
        for name in SUBJECTS:
            done = run(["-X", "importtime", *program(TREE, name)], cache)
            found[name].append(by_package(done.stderr.splitlines()))
    return {
        name: {
            package: min(each.get(package, 0) for each in all_) / 1000
            for package in all_[0]
        }
        for name, all_ in found.items()
    }


def memory(repeats: int, cache: Path) -> dict[str, dict[str, list[float]]]:
    """Subject → ``import`` and ``app`` → RSS and PSS beyond a bare interpreter's."""
    found = {}
    for name in SUBJECTS:
        runs = [
            json.loads(run(program(MEMORY, name), cache).stdout) for _ in range(repeats)
        ]
        found[name] = {
            state: [median(r[n][kind] - r[0][kind] for r in runs) for kind in (0, 1)]
            for n, state in ((1, "import"), (2, "app"))
        }
    return found


def requests(count: int, cache: Path) -> dict[str, dict[str, int]]:
    """Subject → bytes at the peak of a request; blocks more after *count* of them."""
    return {
        name: json.loads(run(program(REQUESTS, name, count=count), cache).stdout)
        for name in SUBJECTS
    }


def grown(count: int, cache: Path) -> dict[str, Any]:
    """Candidate → states before and after *count* requests of the mix."""
    found = {}
    for name in GROWN:
        print(f"{count:,} requests of {', '.join(MIX)}: {name}", file=sys.stderr)
        arguments = ["-m", "bench.footprint", "--grow", name, "--requests", str(count)]
        found[name] = json.loads(run(arguments, cache).stdout)
    return found


def installed() -> dict[str, int]:
    """Distribution → bytes of its files."""
    return {
        name: sum(file.size or 0 for file in metadata.files(name) or ())
        for name in INSTALLED
    }


def wheels() -> dict[str, dict[str, int]]:
    """Build → bytes of the wheel, and of what it unpacks to. Built from a copy."""
    found = {}
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "source"
        copy.mkdir()
        for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, copy)
        ignored = shutil.ignore_patterns("*.so", "__pycache__", "*.egg-info")
        shutil.copytree(ROOT / "src", copy / "src", ignore=ignored)
        for build in ("compiled", "pure"):
            mode = "require" if build == "compiled" else "pure"
            environ = {**os.environ, "FASTDISPATCH_BUILD": mode}
            out = Path(directory) / build
            command = [
                *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"),
                *("--no-build-isolation", "--wheel-dir", str(out), str(copy)),
            ]
            subprocess.run(command, env=environ, check=True, timeout=TIMEOUT)
            (wheel,) = out.glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                unpacked = sum(info.file_size for info in archive.infolist())
            found[build] = {"wheel": wheel.stat().st_size, "unpacked": unpacked}
            shutil.rmtree(copy / "build", ignore_errors=True)
    return found


def main(argv: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser("python -m bench.footprint", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="default: 7")
    parser.add_argument(
        "--requests",
        type=int,
        default=1_000_000,
        help="how many requests must leave nothing behind; default: a million",
    )
    parser.add_argument(
        "--grow", choices=GROWN, help="only send them to that candidate, in process"
    )
    parser.add_argument("--no-wheels", action="store_true", help="build no wheels")
    parser.add_argument("--json", type=Path, help="write the numbers there")
    args = parser.parse_args(argv)
    if args.rounds < 1 or args.requests < 1:
        raise SystemExit("bench.footprint: --rounds and --requests are 1 or more")
    if args.grow:
        before, after = growth(args.grow, args.requests)
        print(json.dumps({"before": asdict(before), "after": asdict(after)}))
        return 0
    if not sys.platform.startswith("linux"):
        raise SystemExit("bench.footprint reads memory from Linux's /proc")
    found: dict[str, Any] = {
        **about(SUBJECTS),
        "rounds": args.rounds,
        "mix": list(MIX),
        "warm_up": WARM_UP,
        "requests": args.requests,
    }
    with tempfile.TemporaryDirectory() as directory:
        cache = Path(directory)
        print("imports", file=sys.stderr)
        found["imports"] = imports(args.rounds, 5, cache)
        found["shares"] = shares(args.rounds, cache)
        print("memory", file=sys.stderr)
        found["memory"] = memory(3, cache)
        found["per_request"] = requests(10_000, cache)
        found["growth"] = grown(args.requests, cache)
    found["installed"] = installed()
    if not args.no_wheels:
        print("wheels", file=sys.stderr)
        found["wheels"] = wheels()
    print(report.markdown(found))
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(dumps(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
