"""``python -m bench.instructions``: where the instructions of a request go.

Counted by valgrind's callgrind, so that they do not depend on what else the machine
does. ``--json`` writes the numbers; ``--draw`` makes the tables between the markers
``<!-- instructions:NAME -->`` of what is written already; ``--check`` fails where a
file is not what the numbers give.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from .candidates import about
from .candidates import CANDIDATES
from .candidates import load
from .report import fill
from .report import PAGES
from .report import Report
from .report import ROOT
from .report import settle
from .report import table
from .timing import drive
from .timing import dumps
from .workloads import Environ
from .workloads import WORKLOADS

RESULTS = ROOT / "bench" / "results" / "instructions.json"
SUBJECTS = ["fastdispatch", "wheezy"]
#: Where fastdispatch is not as far ahead as it was to be.
NAMES = ["W1", "W3", "W11", "W13"]
#: What is taken off: an application that does nothing.
NOTHING = "nothing"
FEW, MANY = 500, 2000
ENGINE = "fastdispatch's compiled modules"
#: What a function of CPython does, by its name; the first that fits.
KINDS = {
    "running Python code: views, hooks, a framework in Python": (
        r"_PyEval|_?PyFrame|_PyFunction|PushFrame|slot_tp_call|[vV]ectorcall"
        r"|_PyObject_Call|_PyObject_MakeTpCall|PyObject_Call|PyLong_Add"
    ),
    "looking up in dicts": r"[dD]ict|unicodekeys|unicode_hash",
    "the context variable": r"ontextVar|contextvar|hamt|PyContext|token_",
    "memory": (
        r"alloc|[fF]ree|GC_|gc_|memset|NewReference|tuple_|PyTuple_New|PyList_New"
    ),
}
REST = "everything else"


class Failed(Exception):
    """Nothing was counted, and why."""


def _nothing(environ: Environ, start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return []


def requests(subject: str, workload: str, count: int) -> None:
    """What is run under valgrind."""
    known = WORKLOADS[workload]
    if subject == NOTHING:
        drive(_nothing, known.environ(), known.payload, count)
        return
    app = load(subject, workload)
    drive(app, known.prepare(app), known.payload, count)


def kind_of(function: str, where: str) -> str:
    """What is done in *function* of the file *where*."""
    if "fastdispatch/engine" in where:
        return ENGINE
    for kind, names in KINDS.items():
        if re.search(names, function):
            return kind
    return REST


def read(text: str) -> Counter[str]:
    """Instructions by kind, of what callgrind wrote."""
    found: Counter[str] = Counter()
    where = function = ""
    called = False
    for line in text.splitlines():
        if line.startswith("ob="):
            where = line[3:]
        elif line.startswith("fn="):
            function = line[3:]
        elif line.startswith("calls="):
            called = True
        elif line[:1].isdigit() or line[:1] in ("+", "-", "*"):
            if not called:  # else what the function called took, counted there
                found[kind_of(function, where)] += int(line.split()[1])
            called = False
    return found


def count(subject: str, workload: str) -> dict[str, float]:
    """Instructions of one request by kind, the driver's included."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise Failed("valgrind is not installed: apt-get install valgrind")
    found = []
    with tempfile.TemporaryDirectory() as made:
        for n in (FEW, MANY):
            out = Path(made, str(n))
            command = [
                *(valgrind, "--tool=callgrind", f"--callgrind-out-file={out}"),
                *("--compress-strings=no", "--compress-pos=no"),
                *(sys.executable, "-m", "bench.instructions"),
                *("--run", subject, workload, str(n)),
            ]
            run = subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, timeout=600
            )
            if run.returncode or not out.exists():
                raise Failed(f"{subject}, {workload}: {run.stderr[-2000:]}")
            found.append(read(out.read_text(encoding="utf-8", errors="replace")))
    few, many = found
    return {kind: (many[kind] - few[kind]) / (MANY - FEW) for kind in sorted(many)}


def section_all(report: Report) -> str:
    """A table of all workloads."""
    found = report["instructions"]
    driver = found[NOTHING]["W1"]
    names = [name for name in NAMES if name in found["fastdispatch"]]
    head = ["instructions a request"]
    for name in names:
        head += [f"{name}, {CANDIDATES[subject].label}" for subject in SUBJECTS]
    columns = [(name, subject) for name in names for subject in SUBJECTS]

    def net(name: str, subject: str, kind: str) -> float:
        took: float = found[subject][name].get(kind, 0) - driver.get(kind, 0)
        return took

    kinds = [ENGINE, *KINDS, REST]
    rows = [
        [kind, *(f"{net(name, subject, kind):,.0f}" for name, subject in columns)]
        for kind in kinds
    ]
    rows.append(
        [
            "all of it",
            *(
                f"{sum(net(name, subject, kind) for kind in kinds):,.0f}"
                for name, subject in columns
            ),
        ]
    )
    versions = report["versions"]
    note = (
        f"On CPython {versions['python'].split()[-1]}, less what the driver takes. "
        f"Counted {report['date']}."
    )
    return f"{table(head, rows)}\n\n{note}"


def main(argv: list[str] | None = None) -> int:
    """Run from the command line; 1 when nothing was counted or a file is old."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.instructions", description=__doc__
    )
    parser.add_argument("--json", type=Path, help="write the numbers there")
    parser.add_argument("--only", default=",".join(NAMES), help="workloads: W1,W3")
    parser.add_argument("--draw", action="store_true", help="count nothing, draw")
    parser.add_argument("--check", action="store_true", help="count nothing, compare")
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.run:
        subject, workload, n = args.run
        requests(subject, workload, int(n))
        return 0
    if args.draw or args.check:
        report: Report = json.loads(RESULTS.read_text(encoding="utf-8"))
        wanted = {
            page: fill(
                page.read_text(encoding="utf-8"),
                report,
                {"all": section_all},
                "instructions",
            )
            for page in PAGES
        }
        return settle(wanted, RESULTS.name, args.check)
    found: dict[str, dict[str, Any]] = {NOTHING: {}}
    try:
        found[NOTHING]["W1"] = count(NOTHING, "W1")
        for subject in SUBJECTS:
            found[subject] = {}
            for name in args.only.split(","):
                found[subject][name] = count(subject, name)
    except Failed as e:
        print(e, file=sys.stderr)
        return 1
    report = {**about(SUBJECTS), "instructions": found}
    print(section_all(report))
    if args.json:
        args.json.write_text(dumps(report), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
