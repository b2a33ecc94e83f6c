"""``python -m bench.footprint.report``: the tables, from the numbers of one run.

As ``bench.report`` does it, between markers ``<!-- footprint:NAME -->``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

from ..candidates import CANDIDATES
from ..report import fill
from ..report import PAGES
from ..report import ratio
from ..report import Report
from ..report import ROOT
from ..report import settle
from ..report import table
from .subjects import NEEDS

RESULTS = ROOT / "bench" / "results" / "footprint.json"

#: The import of fastdispatch by that of Flask, at most.
TARGET = 0.65


def name_of(subject: str) -> str:
    """A subject in print."""
    if subject == NEEDS:
        return "Werkzeug and its routing"
    return "Werkzeug alone" if subject == "werkzeug" else CANDIDATES[subject].label


def mib(size: float) -> str:
    """Bytes in mebibytes."""
    return f"{size / 2**20:.1f}"


def kib(size: float) -> str:
    """Bytes in kibibytes."""
    return f"{size / 2**10:,.0f}"


def section_imports(report: Report) -> str:
    """How long an import takes, and by Flask's."""
    found = report["imports"]
    rows = [
        [
            name_of(name),
            f"{median(times):.0f}",
            f"{ratio(found, name, 'flask') or 0:.2f}",
        ]
        for name, times in sorted(found.items(), key=lambda item: median(item[1]))
    ]
    ours = ratio(found, "fastdispatch", "flask") or 0
    met = "met" if ours <= TARGET else "**not met**"
    note = (
        f"To be reached: at most {TARGET:.2f} of Flask's time. It is {ours:.2f}, {met}."
    )
    return f"{table(['import of', 'ms', '÷ Flask'], rows)}\n\n{note}"


def section_parts(report: Report) -> str:
    """What the import of fastdispatch is made of, and how much it may be of ours."""
    found = {name: median(times) for name, times in report["imports"].items()}
    shares = report["shares"]["fastdispatch"]
    ours = found["fastdispatch"] - found[NEEDS]
    compiled, python = shares["fastdispatch.engine"], shares["fastdispatch"]
    parts = {
        "Werkzeug": found["werkzeug"],
        "its routing": found[NEEDS] - found["werkzeug"],
        "fastdispatch: the engine": ours * compiled / (compiled + python),
        "fastdispatch: all else": ours * python / (compiled + python),
        "all of it": found["fastdispatch"],
        "what ours may be, to reach the mark": TARGET * found["flask"] - found[NEEDS],
    }
    rows = [
        [part, f"{took:.1f}", f"{took / found['flask']:.3f}"]
        for part, took in parts.items()
    ]
    return table(["part of the import", "ms", "÷ Flask"], rows)


def section_shares(report: Report) -> str:
    """Which package the time of an import goes to."""
    found = report["shares"]
    subjects = ("werkzeug", "fastdispatch", "flask")
    packages = sorted(
        {package for subject in subjects for package in found[subject]},
        key=lambda p: -max(found[subject].get(p, 0) for subject in subjects),
    )
    rows = [
        [
            package,
            *(
                f"{found[subject][package]:.1f}" if package in found[subject] else "–"
                for subject in subjects
            ),
        ]
        for package in packages
    ]
    return table(["ms", *(name_of(subject) for subject in subjects)], rows)


def section_memory(report: Report) -> str:
    """What stays resident, and what one request takes."""
    rows = []
    for name, states in report["memory"].items():
        each = report["per_request"][name]
        rows.append(
            [
                name_of(name),
                *(mib(size) for state in states.values() for size in state),
                f"{each['peak']:,}",
                f"{each['blocks']:+,}",
            ]
        )
    count = next(iter(report["per_request"].values()))["requests"]
    head = ["MiB beyond a bare interpreter", "imported: RSS", "PSS"]
    head += ["with hello world: RSS", "PSS", "bytes at a request's peak"]
    return table([*head, f"blocks more after {count:,} requests"], rows)


def section_growth(report: Report) -> str:
    """What a million requests leave behind."""
    rows = []
    for name, states in report["growth"].items():
        before, after = states["before"], states["after"]
        rows.append(
            [
                CANDIDATES[name].label,
                f"{mib(before['resident'])} → {mib(after['resident'])}",
                f"{before['blocks']:,} → {after['blocks']:,}",
                f"{before['objects']:,} → {after['objects']:,}",
            ]
        )
    head = [
        f"before → after {report['requests']:,} requests",
        "RSS, MiB",
        "blocks of memory",
        "objects",
    ]
    note = (
        f"Requests of {', '.join(report['mix'])} in turn; the first state is the one "
        f"after {report['warm_up']:,} of them."
    )
    return f"{table(head, rows)}\n\n{note}"


def section_size(report: Report) -> str:
    """The wheels, and beside them what others take on disk."""
    rows = [
        [f"fastdispatch, {build}", kib(size["wheel"]), kib(size["unpacked"])]
        for build, size in report.get("wheels", {}).items()
    ]
    rows += [
        [name, "–", kib(size)]
        for name, size in sorted(report["installed"].items(), key=lambda item: -item[1])
    ]
    return table(["KiB", "wheel", "installed"], rows)


SECTIONS: dict[str, Callable[[Report], str]] = {
    "imports": section_imports,
    "parts": section_parts,
    "shares": section_shares,
    "memory": section_memory,
    "growth": section_growth,
    "size": section_size,
}


def markdown(report: Report) -> str:
    """All of it, for the terminal."""
    texts = [section(report) for section in SECTIONS.values()]
    return "\n\n".join(["# Footprint", *texts])


def main(argv: list[str] | None = None) -> int:
    """Run from the command line; 1 when ``--check`` finds a file out of date."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.footprint.report", description=__doc__
    )
    parser.add_argument("--json", type=Path, default=RESULTS, help="the numbers")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    args = parser.parse_args(argv)
    report: Report = json.loads(args.json.read_text(encoding="utf-8"))
    wanted = {
        page: fill(page.read_text(encoding="utf-8"), report, SECTIONS, "footprint")
        for page in PAGES
    }
    return settle(wanted, args.json.name, args.check)


if __name__ == "__main__":
    sys.exit(main())
