"""``python -m bench.servers.report``: the picture and the tables, from one run.

As ``bench.report`` does it, between markers ``<!-- servers:NAME -->``, from the JSON
that ``python -m bench.servers --json`` wrote.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any
from typing import TypeAlias

from ..candidates import CANDIDATES
from ..report import COLUMNS
from ..report import fill
from ..report import framed
from ..report import GAP
from ..report import HEAD
from ..report import MARGIN
from ..report import PAGES
from ..report import PANEL
from ..report import panel
from ..report import ratio
from ..report import Report
from ..report import ROOT
from ..report import ROW
from ..report import settle
from ..report import table
from ..report import TITLE
from ..report import wrapped

Entry: TypeAlias = dict[str, Any]

RESULTS = ROOT / "bench" / "results" / "servers.json"
PICTURE = ROOT / "docs" / "servers.svg"

#: Server: least share of raw's throughput for App, least accelerated ÷ Flask.
TARGETS = {
    "bjoern": (0.85, 6.0),
    "granian": (0.85, 6.0),
    "uwsgi": (0.90, 4.0),
    "waitress": (0.93, 2.0),
    "gthread": (0.90, 1.75),
    "sync": (0.90, 1.75),
    "cheroot": (0.93, 1.65),
}
#: Below this share of its core it was not the server that limited the throughput.
BUSY = 0.9
IDLE = (
    f"\\* The server used less than {BUSY:.0%} of its core: it waited for the load "
    "generator, or had to share the core."
)


def rates(entry: Entry) -> dict[str, list[float]]:
    """Candidate → requests a second, one for each round."""
    return {name: runs["rate"] for name, runs in entry["runs"].items()}


def best_first(entry: Entry) -> list[tuple[str, float]]:
    """Candidates with their throughput by raw's, median over the rounds."""
    found = rates(entry)
    shares = [(name, ratio(found, name, "raw")) for name in found]
    return sorted(((n, s) for n, s in shares if s is not None), key=lambda p: -p[1])


def name_of(entry: Entry) -> str:
    """A server with its version."""
    return f"{entry['title']} ({entry['version']})"


def by(value: float | None, form: str) -> str:
    """A ratio in print; a dash where a candidate did not run."""
    return "–" if value is None else format(value, form)


def section_summary(report: Report) -> str:
    """README's table: a row a server, ours beside no framework and Flask."""
    rows = []
    for entry in report["servers"].values():
        found = rates(entry)
        rows.append(
            [
                name_of(entry),
                *(
                    f"{median(found[name]):,.0f}" if name in found else "–"
                    for name in ("raw", "fastdispatch", "flask")
                ),
                by(ratio(found, "fastdispatch", "raw"), ".0%"),
                by(ratio(found, "flask", "raw"), ".0%"),
                by(ratio(found, "fastdispatch", "flask"), ".1f"),
                by(ratio(found, "accelerated", "flask"), ".1f"),
            ]
        )
    head = [
        "requests a second",
        "no framework",
        "fastdispatch",
        "Flask",
        "fastdispatch ÷ no framework",
        "Flask ÷ no framework",
        "fastdispatch ÷ Flask",
        "accelerated ÷ Flask",
    ]
    return "\n\n".join([table(head, rows), *missing(report), *caption(report)])


def section_all(report: Report) -> str:
    """Every server and candidate: throughput, share of raw's, latency, spread."""
    rows = []
    for entry in report["servers"].values():
        for name, share in best_first(entry):
            runs = entry["runs"][name]
            rate = runs["rate"]
            busy = median(runs["busy"])
            rows.append(
                [
                    entry["title"],
                    CANDIDATES[name].label,
                    f"{median(rate):,.0f}",
                    f"{share:.0%}",
                    f"{max(rate) / min(rate) - 1:.0%}",
                    f"{median(runs['p50']):.2f}",
                    f"{median(runs['p99']):.2f}",
                    f"{busy:.0%}{' *' if busy < BUSY else ''}",
                ]
            )
        for name, why in entry["out"].items():
            rows.append(
                [entry["title"], CANDIDATES[name].label, why.splitlines()[0], *"–––––"]
            )
    head = [
        "server",
        "program",
        "requests a second",
        "÷ no framework",
        "spread",
        "p50, ms",
        "p99, ms",
        "server's core in use",
    ]
    return f"{table(head, rows, left=2)}\n\n{IDLE}"


def section_targets(report: Report) -> str:
    """What was to be reached, what was, and where it was not."""
    rows = []
    for name, entry in report["servers"].items():
        found = rates(entry)
        cells = [name_of(entry)]
        most = ratio(found, "raw", "flask")
        # Where the server was waiting, another run might find more.
        known = "raw" in found and median(entry["runs"]["raw"]["busy"]) >= BUSY
        for a, b, least, limit in (
            ("fastdispatch", "raw", TARGETS[name][0], None),
            ("accelerated", "flask", TARGETS[name][1], most if known else None),
        ):
            value = ratio(found, a, b)
            met = "yes" if value is not None and value >= least else "**no**"
            if met != "yes" and limit is not None and limit < least:
                met = "**no**: more than there is"
            cells += [f"{least:.2f}", by(value, ".2f"), met]
        rows.append([*cells, by(most, ".2f")])
    head = ["", "fastdispatch ÷ no framework, at least", "is", "met"]
    head += ["accelerated ÷ Flask, at least", "is", "met", "no framework ÷ Flask"]
    return table(head, rows)


def section_how(report: Report) -> str:
    """How each server was started."""
    rows = [
        [
            name_of(entry),
            "yes" if entry["keep_alive"] else "no: a connection a request",
            f"`{entry['command']}`",
        ]
        for entry in report["servers"].values()
    ]
    return table(["server", "keep-alive", "started with"], rows, left=3)


def missing(report: Report) -> list[str]:
    """A line on the servers that could not be measured, if there are any."""
    found = report["missing"].items()
    return ["\n".join(f"- {title}: {why}" for title, why in found)] if found else []


def caption(report: Report) -> list[str]:
    """What was measured with what, in lines for the picture and for the pages."""
    v = report["versions"]
    return [
        f"fastdispatch {v['fastdispatch']}, {v['fastdispatch build']} build, on "
        f"{v['python']}, Werkzeug {v['werkzeug']}, {report['platform']}. "
        f"Flask {v['flask']}, Falcon {v['falcon']}, Bottle {v['bottle']}; wrk "
        f"{v['wrk']}.",
        f"Measured {report['date']}: server on one core, wrk on another, "
        f"{report['connections']} connections; medians of {report['rounds']} rounds of "
        f"{report['seconds']} s, candidates in turn.",
    ]


def svg(report: Report) -> str:
    """The picture: a panel a server, bars by the throughput without a framework."""
    entries = [e for e in report["servers"].values() if best_first(e)]
    most = max((len(e["runs"]) for e in entries), default=0)
    high = TITLE + most * ROW + 22
    body: list[str] = []
    for n, entry in enumerate(entries):
        found = rates(entry)
        body += panel(
            MARGIN + n % COLUMNS * (PANEL + GAP),
            HEAD + n // COLUMNS * high,
            entry["title"],
            f"100% = {median(found['raw']):,.0f}/s",
            best_first(entry),
            "",
            lambda name, value: f"{value:.0%}",
        )
    return framed(
        "Requests a second through real servers, by those without a framework",
        spoken(report),
        "Hello, world through real servers",
        "Throughput relative to a bare WSGI callable on the same server. Where a "
        "server takes most of the time, frameworks look alike.",
        body,
        HEAD + -(-len(entries) // COLUMNS) * high,
        [line for text in caption(report) for line in wrapped(text, 146)],
    )


def spoken(report: Report) -> str:
    """The picture in words."""
    parts = []
    for entry in report["servers"].values():
        bars = ", ".join(f"{CANDIDATES[n].label} {v:.0%}" for n, v in best_first(entry))
        parts.append(f"{entry['title']}: {bars}.")
    return " ".join(parts)


SECTIONS: dict[str, Callable[[Report], str]] = {
    "summary": section_summary,
    "all": section_all,
    "targets": section_targets,
    "how": section_how,
}


def markdown(report: Report) -> str:
    """All of it, for the terminal."""
    texts = [section_summary(report), section_all(report), section_targets(report)]
    return "\n\n".join(["# Through real servers", *texts])


def main(argv: list[str] | None = None) -> int:
    """Run from the command line; 1 when ``--check`` finds a file out of date."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.servers.report", description=__doc__
    )
    parser.add_argument("--json", type=Path, default=RESULTS, help="the numbers")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    args = parser.parse_args(argv)
    report: Report = json.loads(args.json.read_text(encoding="utf-8"))
    wanted = {PICTURE: svg(report)}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        wanted[page] = fill(text, report, SECTIONS, "servers")
    return settle(wanted, args.json.name, args.check)


if __name__ == "__main__":
    sys.exit(main())
