"""``python -m bench.report``: the picture and the tables, from the numbers of one run.

Reads the JSON that ``python -m bench --json`` wrote; writes ``docs/benchmark.svg``,
``docs/benchmark-all.svg`` and what stands between the markers ``<!-- bench:NAME -->``
and ``<!-- /bench:NAME -->`` in README.md and docs/performance.md. Nothing there is
typed by hand. ``--check`` writes nothing and fails where a file is not what the numbers
give.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from html import escape
from pathlib import Path
from statistics import geometric_mean
from statistics import median
from statistics import quantiles
from typing import Any
from typing import TypeAlias

from .candidates import CANDIDATES
from .candidates import OURS

Report: TypeAlias = dict[str, Any]

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "bench" / "results" / "latest.json"
MICRO = ROOT / "bench" / "results" / "micro.json"
#: The same on the Flask of the other kind (``make flask-other``), of accelerate alone.
MICRO_OTHER = ROOT / "bench" / "results" / "micro-other.json"
#: ``latest.json`` on another interpreter (``make bench-python``).
OTHER_PYTHON = ROOT / "bench" / "results" / "other-python.json"
PICTURE = ROOT / "docs" / "benchmark.svg"
WHOLE_PICTURE = ROOT / "docs" / "benchmark-all.svg"
PAGES = (ROOT / "README.md", ROOT / "docs" / "performance.md")

#: What the colours of the bars mean.
KINDS = {
    "raw": "no framework: a bare WSGI callable",
    "ours": "fastdispatch.App, compiled",
    "fast": "an unchanged Flask application, accelerated",
    "pure": "fastdispatch.App without C, in pure Python",
    "peer": "other frameworks",
    "asgi": "frameworks on ASGI and an event loop",
}

#: Headings of the panels, which have to be short; a workload's title says it in full.
TITLES = {
    "W1": "Hello, world",
    "W2": "Number in, JSON out",
    "W3": "Hello with 9 hooks",
    "W4": "Query, header and cookie",
    "W5": "JSON in, JSON out",
    "W6": "Form with 3 fields",
    "W7": "Signed session, changed",
    "W8": "Page not found",
    "W9": "View raises: error page",
    "W10": "Last of 500 routes",
    "W11": "64 KiB of bytes",
    "W12": "Stream of 10 chunks",
    "W13": "Blueprints 3 deep, 12 hooks",
}


WHOLE = ("whole request that returns", "whole request with hooks of each kind")
#: Engine module: its micro benchmarks. lifecycle and plan run in whole requests only;
#: of split and merged the one that the installed Flask needs.
MODULES = {
    "context": ("push pop", "proxy"),
    "failures": ("accelerated error",),
    "hooks": ("hook chain",),
    "hosted": ("accelerated request",),
    "jsontext": ("json response",),
    "lifecycle": WHOLE,
    "merged": ("accelerated request",),
    "plain": ("accelerated response",),
    "plan": WHOLE,
    "request": ("new request read",),
    "response": ("make response",),
    "routing": ("match", "match among rules"),
    "signing": ("session",),
    "split": ("accelerated request",),
}

#: Workload: at most so many times the time of whom App may take.
APP_TARGETS = {
    "W1": (0.7, "best other"),
    "W2": (0.65, "best other"),
    "W3": (0.8, "best other"),
    "W4": (0.8, "best other"),
    "W5": (0.8, "best other"),
    "W6": (1.0, "best other"),
    "W7": (0.5, "raw"),
    "W8": (1.5, "best other"),
    "W9": (2.5, "best other"),
    "W10": (0.35, "best other"),
    "W11": (0.75, "best other"),
    "W12": (0.8, "best other"),
    "W13": (0.65, "best other"),
}
#: Workload: Flask's time by that of an accelerated Flask, at least.
ACCELERATED_TARGETS = dict(
    zip(TITLES, (15, 12, 15, 8, 6, 8, 8, 10, 6, 15, 15, 10, 14), strict=True)
)


# What the numbers say


def times(report: Report) -> dict[str, dict[str, list[float]]]:
    """Workload → candidate → µs per request, one for each round."""
    return {entry["name"]: entry["times"] for entry in report["workloads"]}


def ratios(found: dict[str, list[float]], a: str, b: str) -> list[float]:
    """Round by round, *a*'s time by *b*'s; empty where one of them did not run."""
    if a not in found or b not in found:
        return []
    return [x / y for x, y in zip(found[a], found[b], strict=True)]


def ratio(found: dict[str, list[float]], a: str, b: str) -> float | None:
    """The median of ``ratios``."""
    values = ratios(found, a, b)
    return median(values) if values else None


def peers(found: dict[str, list[float]]) -> list[str]:
    """Frameworks that are not ours, quickest first."""
    names = [name for name in found if name not in OURS and name != "raw"]
    return sorted(names, key=lambda name: median(found[name]))


def speeds(found: dict[str, list[float]]) -> list[tuple[str, float]]:
    """Candidates with the requests each answers while Flask answers one, best first."""
    values = {name: ratio(found, "flask", name) for name in found}
    known = [(name, value) for name, value in values.items() if value is not None]
    return sorted(known, key=lambda pair: -pair[1])


def overall(report: Report) -> tuple[list[tuple[str, float]], int]:
    """Geometric means of ``speeds`` over the workloads that all take part in."""
    everyone: set[str] = set()
    for found in times(report).values():
        everyone |= set(found)
    shared = [dict(speeds(f)) for f in times(report).values() if set(f) == everyone]
    if not shared or "flask" not in everyone:
        return [], 0
    means = [(n, geometric_mean([s[n] for s in shared])) for n in everyone]
    return sorted(means, key=lambda pair: (-pair[1], pair[0])), len(shared)


def present(report: Report) -> list[str]:
    """Who took part in at least one workload, as ``CANDIDATES`` has them."""
    everyone = {name for found in times(report).values() for name in found}
    return [name for name in CANDIDATES if name in everyone]


def unsteadiness(report: Report) -> float:
    """Over the workloads, the widest middle half of Flask ÷ fastdispatch."""
    widest = 0.0
    for found in times(report).values():
        values = ratios(found, "flask", "fastdispatch")
        if len(values) > 1:
            low, middle, high = quantiles(values, n=4, method="inclusive")
            widest = max(widest, (high - low) / middle)
    return widest


def interpreter(report: Report) -> str:
    """Which interpreter a run was on, and whose build of it."""
    name = report["versions"]["python"]
    return f"{name} ({report['note']})" if report.get("note") else name


def caption(report: Report) -> list[str]:
    """What was measured with what, in lines for the picture and for the pages."""
    v = report["versions"]
    others = ", ".join(
        f"{CANDIDATES[name].label.removesuffix(' (ASGI)')} "
        f"{v[CANDIDATES[name].distribution]}"
        for name in present(report)
        if CANDIDATES[name].distribution not in {"", "werkzeug"}
    )
    return [
        f"fastdispatch {v['fastdispatch']}, {v['fastdispatch build']} build, on "
        f"{interpreter(report)}, Werkzeug {v['werkzeug']}, {report['platform']}. "
        f"{others}.",
        f"Measured {report['date']} in {report['rounds']} rounds, all candidates in "
        f"turn; medians of a round's best of {report['batches']}. Ratios count: "
        "microseconds depend on the machine.",
    ]


# The picture

STYLE = """
  svg { font: 11px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif }
  .page { fill: #ffffff } .edge { fill: none; stroke: #d1d9e0 }
  text { fill: #1f2328 } .muted { fill: #59636e }
  .head { font-size: 17px; font-weight: 600 } .title { font-weight: 600 }
  .say { font-size: 12px }
  .axis { stroke: #d1d9e0 } .bold { font-weight: 600 }
  .ours { fill: #0969da } .fast { fill: #54aeff } .pure { fill: #a5d6ff }
  .peer { fill: #9aa3ad } .asgi { fill: #b49ac9 }
  .raw { fill: #dfe4e9; stroke: #9aa3ad; stroke-width: .7 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } .edge, .axis { stroke: #3d444d }
    text { fill: #f0f6fc } .muted { fill: #9198a1 }
    .ours { fill: #58a6ff } .fast { fill: #2f6fc4 } .pure { fill: #1d4475 }
    .peer { fill: #6e7681 } .asgi { fill: #7d6394 }
    .raw { fill: #21262d; stroke: #6e7681 }
  }
"""
COLUMNS, WIDTH, MARGIN, GAP = 3, 900, 20, 26
PANEL = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS
LABEL, VALUE, ROW, BAR, TITLE = 114, 36, 15, 10, 22
HEAD, LINE = 74, 15


def number(value: float) -> str:
    """A ratio or a time with two significant digits, or all before the point."""
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}"


def panel(
    x: float,
    y: float,
    title: str,
    right: str,
    values: list[tuple[str, float]],
    note: str,
    say: Callable[[str, float], str],
) -> list[str]:
    """One bar chart with its upper left corner at *x*, *y*.

    *say* writes a candidate's value behind its bar.
    """
    scale = (PANEL - LABEL - VALUE) / max(value for _, value in values)
    out = [
        f'<g transform="translate({x:.1f} {y:.1f})">',
        f'<text class="title" y="11">{escape(title)}</text>',
        f'<text class="muted" x="{PANEL:.1f}" y="11" text-anchor="end">{right}</text>',
    ]
    for n, (name, value) in enumerate(values):
        label, colour = CANDIDATES[name].label, CANDIDATES[name].kind
        top = TITLE + n * ROW
        bold = ' class="bold"' if name == "fastdispatch" else ""
        length = max(value * scale, 1)
        out += [
            f'<text{bold} x="{LABEL - 6}" y="{top + 9}" text-anchor="end">'
            f"{escape(label)}</text>",
            f'<rect class="{colour}" x="{LABEL}" y="{top}" width="{length:.1f}" '
            f'height="{BAR}"/>',
            f'<text{bold} x="{LABEL + length + 4:.1f}" y="{top + 9}">'
            f"{escape(say(name, value))}</text>",
        ]
    bottom = TITLE + len(values) * ROW - (ROW - BAR) / 2
    out.append(
        f'<path class="axis" d="M{LABEL - 0.5} {TITLE - 3}V{bottom + 1:.1f}"/>',
    )
    if note:
        out.append(
            f'<text class="muted" x="{LABEL}" y="{bottom + 14:.1f}">'
            f"{escape(note)}</text>"
        )
    return [*out, "</g>"]


def multiple(name: str, value: float) -> str:
    """How many times Flask's number, in print."""
    return f"{'1' if name == 'flask' else number(value)}×"


def wrapped(text: str, width: int) -> list[str]:
    """*text* in lines of at most *width* characters."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def svg(report: Report, names: list[str]) -> str:
    """The picture of *names*: a panel a workload, one for all, what the bars mean."""
    panels: list[tuple[str, str, list[tuple[str, float]], str]] = []
    for entry in report["workloads"]:
        found = entry["times"]
        out = ", ".join(CANDIDATES[n].label for n in entry["out"] if n in names)
        panels.append(
            (
                f"{TITLES[entry['name']]}",
                f"Flask: {number(median(found['flask']))} µs",
                [pair for pair in speeds(found) if pair[0] in names],
                f"without {out}" if out else "",
            )
        )
    means, count = overall(report)
    if means:
        means = [pair for pair in means if pair[0] in names]
        panels.append((f"Mean of {count} workloads", "those that all offer", means, ""))
    high = TITLE + len(names) * ROW + 22
    lines = [line for text in caption(report) for line in wrapped(text, 146)]
    rows = -(-len(panels) // COLUMNS)
    body: list[str] = []
    for n, (title, right, values, note) in enumerate(panels):
        x = MARGIN + n % COLUMNS * (PANEL + GAP)
        y = HEAD + n // COLUMNS * high
        body += panel(x, y, title, right, values, note, multiple)
    if len(panels) % COLUMNS:  # room for the key
        n = len(panels)
        x = MARGIN + n % COLUMNS * (PANEL + GAP)
        y = HEAD + n // COLUMNS * high
        body += [f'<g transform="translate({x:.1f} {y:.1f})">']
        body += ['<text class="title" y="11">Who is who</text>']
        kinds = {CANDIDATES[name].kind for name in names}
        for m, (colour, text) in enumerate(
            item for item in KINDS.items() if item[0] in kinds
        ):
            top = TITLE + m * 18
            body += [
                f'<rect class="{colour}" y="{top}" width="14" height="{BAR}"/>',
                f'<text x="21" y="{top + 9}">{text}</text>',
            ]
        body.append("</g>")
    return framed(
        "How many requests each framework answers while Flask answers one",
        spoken(report, names),
        "Requests answered while Flask answers one",
        "Longer is better. The same program on each framework, called in process "
        "without a server: what the framework itself costs.",
        body,
        HEAD + rows * high,
        lines,
    )


def framed(
    title: str,
    description: str,
    head: str,
    say: str,
    body: list[str],
    bottom: int,
    lines: list[str],
) -> str:
    """A picture: *head* and *say* above *body*, which ends at *bottom*, *lines* below.

    *title* and *description* are for those who do not see it.
    """
    height = bottom + len(lines) * LINE + 14
    below = [
        f'<text class="muted" x="{MARGIN}" y="{bottom + 4 + n * LINE}">'
        f"{escape(line)}</text>"
        for n, line in enumerate(lines)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
            f'height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" '
            'aria-labelledby="t d">',
            f'<title id="t">{escape(title)}</title>',
            f'<desc id="d">{escape(description)}</desc>',
            f"<style>{STYLE}</style>",
            f'<rect class="page" width="{WIDTH}" height="{height}"/>',
            f'<rect class="edge" x=".5" y=".5" width="{WIDTH - 1}" '
            f'height="{height - 1}" rx="6"/>',
            f'<text class="head" x="{MARGIN}" y="31">{escape(head)}</text>',
            f'<text class="say muted" x="{MARGIN}" y="51">{escape(say)}</text>',
            *body,
            *below,
            "</svg>",
            "",
        ]
    )


def spoken(report: Report, names: list[str]) -> str:
    """The picture in words, for those who do not see it."""
    parts = []
    for name, found in times(report).items():
        shown = [(CANDIDATES[n].label, v) for n, v in speeds(found) if n in names]
        bars = ", ".join(f"{label} {number(v)}" for label, v in shown)
        parts.append(f"{TITLES[name]}: {bars}.")
    return " ".join(parts)


# The tables


def table(head: Iterable[str], rows: Iterable[Iterable[str]], left: int = 1) -> str:
    """A Markdown table whose first *left* columns are text."""
    head = list(head)
    lines = ["| " + " | ".join(head) + " |"]
    lines.append("|" + "---|" * left + "---:|" * (len(head) - left))
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def us(value: float) -> str:
    """Microseconds with three significant digits."""
    return f"{value:.0f}" if value >= 99.5 else f"{value:.3g}"


def _by(value: float | None, form: str = ".2f") -> str:
    return "–" if value is None else format(value, form)


def section_summary(report: Report) -> str:
    """README's table: ours beside no framework, the best peer and Flask."""
    rows = []
    for entry in report["workloads"]:
        found = entry["times"]
        best = peers(found)[0]
        rows.append(
            [
                f"{entry['name']}: {entry['title']}".replace("<", "\\<"),
                us(median(found["raw"])),
                f"**{us(median(found['fastdispatch']))}**",
                f"{us(median(found[best]))} {CANDIDATES[best].label}",
                us(median(found["flask"])),
                _by(ratio(found, "fastdispatch", "raw"), ".1f"),
                _by(ratio(found, "fastdispatch", best)),
                f"**{_by(ratio(found, 'flask', 'fastdispatch'), '.0f')}**",
                _by(ratio(found, "flask", "accelerated"), ".1f"),
            ]
        )
    head = [
        "µs a request",
        "no framework",
        "fastdispatch",
        "best other",
        "Flask",
        "fastdispatch ÷ no framework",
        "fastdispatch ÷ best other",
        "Flask ÷ fastdispatch",
        "Flask ÷ accelerated",
    ]
    return "\n\n".join([table(head, rows), *caption(report)])


def section_behind(report: Report) -> str:
    """Where another framework is as quick as fastdispatch, or quicker."""
    lines = behind(report)
    if not lines:
        return "In this run no other framework was as quick at any of the workloads."
    return "\n".join(lines)


def section_behind_elsewhere(report: Report) -> str:
    """The same on the other interpreter."""
    other = report["other_python"]
    lines = behind(other)
    if not lines:
        return f"On {interpreter(other)}: nobody."
    return "\n".join([f"On {interpreter(other)}:", "", *lines])


def section_interpreters(report: Report) -> str:
    """App and accelerated Flask on one interpreter and on another."""
    runs = [times(report), times(report["other_python"])]
    rows = []
    for entry in report["workloads"]:
        name = entry["name"]
        row = [f"{name}: {entry['title']}".replace("<", "\\<")]
        for run in runs:
            found = run.get(name, {})
            best = peers(found)[0] if found else ""
            value = _by(ratio(found, "fastdispatch", best))
            row.append(f"{value} {CANDIDATES[best].label}" if best else value)
        for run in runs:
            row.append(_by(ratio(run.get(name, {}), "flask", "accelerated"), ".1f"))
        rows.append(row)
    pythons = [interpreter(report), interpreter(report["other_python"])]
    head = [
        "",
        *(f"fastdispatch ÷ best other, {python}" for python in pythons),
        *(f"Flask ÷ accelerated, {python}" for python in pythons),
    ]
    return "\n\n".join([table(head, rows), *caption(report["other_python"])])


def behind(report: Report) -> list[str]:
    """A line for each workload at which somebody is as quick, or quicker."""
    lines = []
    for entry in report["workloads"]:
        found = entry["times"]
        names = [(p, ratio(found, "fastdispatch", p)) for p in peers(found)]
        ahead = [(p, value) for p, value in names if value and round(value, 2) >= 1]
        if ahead:
            who = ", ".join(
                f"{CANDIDATES[p].label} ({value:.2f} × its time)" for p, value in ahead
            )
            line = f"- {entry['name']}, {entry['title']}: {who}"
            lines.append(line.replace("<", "\\<"))
    return lines


def section_builds(report: Report) -> str:
    """What compiling brings, per workload."""
    rows = []
    gains = []
    for entry in report["workloads"]:
        found = entry["times"]
        gain = ratio(found, "fastdispatch-pure", "fastdispatch")
        if gain is None:
            continue
        gains.append(gain)
        quicker = [
            CANDIDATES[p].label
            for p in peers(found)
            if (ratio(found, p, "fastdispatch-pure") or 0) < 1
        ]
        rows.append(
            [
                f"{entry['name']}: {entry['title']}".replace("<", "\\<"),
                us(median(found["fastdispatch"])),
                us(median(found["fastdispatch-pure"])),
                f"{gain:.1f}",
                _by(ratio(found, "flask", "fastdispatch-pure"), ".1f"),
                ", ".join(quicker) or "nobody",
            ]
        )
    head = [
        "",
        "compiled, µs",
        "pure, µs",
        "pure ÷ compiled",
        "Flask ÷ pure",
        "quicker than pure",
    ]
    mean = f"Geometric mean of pure ÷ compiled: {geometric_mean(gains):.1f}."
    return f"{table(head, rows)}\n\n{mean}"


def section_all(report: Report) -> str:
    """Every candidate and workload: µs, and multiple of no framework's time."""
    rows = []
    for name in present(report):
        row = [CANDIDATES[name].label]
        for found in times(report).values():
            if name in found:
                by_raw = number(ratio(found, name, "raw") or 0)
                row.append(f"{us(median(found[name]))} ({by_raw})")
            else:
                row.append("–")
        rows.append(row)
    text = table(["", *times(report)], rows)
    why: dict[str, list[str]] = {}
    for entry in report["workloads"]:
        for name, reason in entry["out"].items():
            reason = f"{CANDIDATES[name].label}: {reason}"
            why.setdefault(reason, []).append(entry["name"])
    lines = [f"- {', '.join(names)}, {reason}" for reason, names in why.items()]
    steady = (
        "In the middle half of the rounds Flask ÷ fastdispatch stayed within "
        f"{unsteadiness(report):.0%} of its median in every workload. Every number "
        f"contains the loop that calls the application, {report['floor']:.2f} µs"
    )
    if any(CANDIDATES[name].asgi for name in present(report)):
        steady += (
            "; those marked ASGI a copy of the scope, receive and send instead, "
            f"{report['asgi_floor']:.2f} µs"
        )
    steady += "."
    return "\n\n".join([text, "\n".join(lines), steady])


def section_hooks(report: Report) -> str:
    """What one hook adds: a request with thirty of each kind, less one with none."""
    cases = report.get("micro", {}).get("whole request with hooks of each kind", {})
    if not {"0", "30"} <= set(cases):
        return ""
    rows = [
        [build, f"{(cases['30'][build] - cases['0'][build]) / 90 / 1000:.3f}"]
        for build in ("compiled", "pure")
    ]
    return table(["build", "µs a hook"], rows)


def section_elsewhere(report: Report) -> str:
    """What is gained where the rest of a request takes its own time."""
    found = times(report)["W1"]
    flask = median(found["flask"])
    cases = (
        ("nothing else", 0),
        ("20 µs: a server written in C or Rust", 20),
        ("200 µs: a server written in Python", 200),
        ("1 ms: one quick query", 1000),
        ("20 ms: a page of queries, a template", 20000),
    )
    rows = []
    for what, rest in cases:
        row = [what, f"{flask / (flask + rest):.1%}"]
        for name in ("accelerated", "fastdispatch"):
            row.append(f"{(flask + rest) / (median(found[name]) + rest):.2f} ×")
        rows.append(row)
    head = [
        "the rest of the request takes",
        "share of Flask",
        "throughput, accelerated",
        "throughput, fastdispatch",
    ]
    return table(head, rows)


def section_steps(report: Report) -> str:
    """Flask's own steps for hello world."""
    steps = report.get("flask_steps", {})
    whole = sum(steps.values())
    rows = [[n, f"{t:.1f}", f"{t / whole:.0%}"] for n, t in steps.items()]
    rows.append(["together", f"{whole:.1f}", ""])
    return table(["step", "µs", "share"], rows)


def section_micro(report: Report) -> str:
    """What compiling brings to each part of the engine."""
    rows = []
    for name, cases in report.get("micro", {}).items():
        for case, build in cases.items():
            if "python" in build:  # what plain Python takes, for section_targets
                continue
            rows.append(
                [
                    f"{name}: {case}",
                    us(build["compiled"] / 1000),
                    us(build["pure"] / 1000),
                    f"{build['pure'] / build['compiled']:.1f}",
                ]
            )
    return table(["", "compiled, µs", "pure, µs", "pure ÷ compiled"], rows)


def gain(report: Report) -> tuple[float, int]:
    """Pure ÷ compiled, both less the time of no framework, and of how many workloads.

    The geometric mean of those in which compiled takes at least a quarter longer than
    no framework: in the others next to nothing is left, or less, to divide by.
    """
    gains = []
    for found in times(report).values():
        raw, compiled, pure = (
            median(found[name]) for name in ("raw", "fastdispatch", "fastdispatch-pure")
        )
        if compiled >= 1.25 * raw:
            gains.append((pure - raw) / (compiled - raw))
    return (geometric_mean(gains) if gains else float("inf")), len(gains)


def module_gains(report: Report) -> dict[str, float | None]:
    """Engine module → pure ÷ compiled, geometric mean of its micro benchmarks.

    None for a module that was not measured.
    """
    major, minor, *_ = report["versions"]["flask"].split(".")
    idle = "split" if (int(major), int(minor)) >= (3, 2) else "merged"
    gains: dict[str, float | None] = {}
    for module, names in MODULES.items():
        micro = report["micro_other" if module == idle else "micro"]
        found = [
            build["pure"] / build["compiled"]
            for name in names
            for build in micro.get(name, {}).values()
        ]
        gains[module] = geometric_mean(found) if found else None
    return gains


def targets(report: Report) -> list[tuple[str, float, str, float | None]]:
    """What is to be reached: in words, the limit, ``≤`` or ``≥``, what it is."""
    found: list[tuple[str, float, str, float | None]] = []
    all_times = times(report)
    for name, (limit, base) in APP_TARGETS.items():
        if name in all_times:
            other = peers(all_times[name])[0] if base == "best other" else base
            what = f"{name}: App ÷ {CANDIDATES[other].label}"
            value = ratio(all_times[name], "fastdispatch", other)
            found.append((what, limit, "≤", value))
    if "W1" in all_times:
        value = ratio(all_times["W1"], "fastdispatch", "raw")
        found.append(("W1: App ÷ no framework", 3.5, "≤", value))
    for name, limit in ACCELERATED_TARGETS.items():
        if name in all_times:
            value = ratio(all_times[name], "flask", "accelerated")
            found.append((f"{name}: Flask ÷ accelerated", limit, "≥", value))
    for name in ("W1", "W2", "W3"):
        if name in all_times:
            value = ratio(all_times[name], "fastdispatch-pure", "falcon")
            found.append((f"{name}: pure ÷ Falcon", 1.0, "≤", value))
    mean, count = gain(report)
    what = f"pure ÷ compiled, less no framework, mean of {count} workloads"
    found.append((what, 1.5, "≥", mean))
    for module, value in module_gains(report).items():
        found.append((f"`{module}`: pure ÷ compiled", 1.3, "≥", value))
    return found + micro_targets(report["micro"])


def micro_targets(micro: Report) -> list[tuple[str, float, str, float | None]]:
    """Those that are read off the micro benchmarks of the compiled build."""
    found: list[tuple[str, float, str, float | None]] = []
    rules = micro.get("match among rules")
    if rules is not None:
        value = rules["10000"]["compiled"] / rules["10"]["compiled"]
        found.append(("matching among 10,000 rules ÷ among 10", 1.3, "≤", value))
    calls = micro.get("bare calls from")
    if calls is not None:
        cases = micro["whole request with hooks of each kind"]
        hooks = cases["30"]["compiled"] - cases["0"]["compiled"]
        for caller, note in (("C", ""), ("Python", ", which does not leave it")):
            bare = calls[f"{caller}, 30"]["python"] - calls[f"{caller}, 0"]["python"]
            what = f"a hook that does nothing ÷ its bare call from {caller}{note}"
            found.append((what, 1.3, "≤", hooks / bare))
    plain = micro.get("plain")
    if plain is not None:
        nothing = plain["nothing"]["python"]
        attribute = plain["attribute"]["python"] - nothing
        local_proxy = (plain["flask.g.x"]["python"] - nothing) / attribute
        for case in ("request.method", "g.x", "session['x']"):
            value = (micro["proxy"][case]["compiled"] - nothing) / attribute
            what = (
                f"`{case}` ÷ a plain attribute "
                f"(`flask.g.x` by the same measure: {local_proxy:.0f})"
            )
            found.append((what, 2.5, "≤", value))
    return found


def section_targets(report: Report) -> str:
    """What is to be reached, what is, and whether that is enough."""
    rows = []
    for what, limit, sign, value in targets(report):
        if value is None:
            met = "not measured"
        else:
            met = "yes" if (value <= limit) == (sign == "≤") else "**no**"
        rows.append([what, f"{sign} {limit:g}", _by(value), met])
    return table(["", "to reach", "is", "met"], rows)


# How many hooks a workload has.
_HOOKS = {"W3": 9, "W13": 12}


def section_hooks_floor(report: Report) -> str:
    """What a workload with hooks takes if they cost no more than their calls."""
    rows = []
    all_times = times(report)
    bare = report["micro"].get("bare calls from")
    for entry in report["workloads"]:
        name, found = entry["name"], entry["times"]
        if name not in _HOOKS or "W1" not in all_times or bare is None:
            continue
        hello = all_times["W1"]
        hooks = median(found["raw"]) - median(hello["raw"])
        # Thirty calls of each of three kinds, in ns.
        from_python = bare["Python, 30"]["python"] - bare["Python, 0"]["python"]
        cases = report["micro"]["whole request with hooks of each kind"]
        from_engine = cases["30"]["compiled"] - cases["0"]["compiled"]
        called = hooks + _HOOKS[name] * (from_engine - from_python) / 90 / 1000
        least = median(hello["fastdispatch"]) + called
        other = peers(found)[0]
        rows.append(
            [
                f"{name}: {entry['title']}",
                us(hooks),
                us(called),
                us(least),
                us(median(found["fastdispatch"])),
                f"{least / median(found[other]):.2f} {CANDIDATES[other].label}",
                f"≤ {APP_TARGETS[name][0]:g}",
            ]
        )
    head = ["", "hooks alone, µs", "called from C, µs", "with App's W1, µs", "App, µs"]
    return table([*head, "W1 and calls ÷ best other", "to reach"], rows)


def section_pure_calls(report: Report) -> str:
    """How many functions are called for a request in Python alone."""
    rows = []
    for entry in report["workloads"]:
        if entry["name"] not in ("W1", "W2", "W3"):
            continue
        row = [f"{entry['name']}: {entry['title']}"]
        for name in ("fastdispatch-pure", "falcon", "wheezy", "flask"):
            if name not in entry.get("calls", ()):
                row += ["–", "–"]
                continue
            python, c = entry["calls"][name]
            each = median(entry["times"][name]) / (python + c)
            row += [f"{python} + {c}", f"{each * 1000:.0f}"]
        rows.append(row)
    head = [""]
    for name in ("fastdispatch-pure", "falcon", "wheezy", "flask"):
        head += [CANDIDATES[name].label, "ns each"]
    return table(head, rows)


def section_pure_steps(report: Report) -> str:
    """What requests of the pure build take less without each of their parts."""
    if "pure_steps" not in report:
        return "Not measured."
    steps = report["pure_steps"]
    taken = times(report)
    parts = dict.fromkeys(part for name in steps for part in steps[name]["parts"])
    falcon = {n: median(taken[n]["falcon"]) for n in steps if "falcon" in taken[n]}

    def row(title: str, found: Mapping[str, float | None]) -> list[str]:
        return [title, *(_share(found.get(n), steps[n]["whole"]) for n in steps)]

    return table(
        ["µs, and share of the request", *steps],
        [
            *(row(p, {n: steps[n]["parts"].get(p) for n in steps}) for p in parts),
            row("without any of these", {n: steps[n]["least"] for n in steps}),
            row("the request", {n: steps[n]["whole"] for n in steps}),
            row("Falcon's", falcon),
        ],
    )


def _share(part: float | None, whole: float) -> str:
    return "–" if part is None else f"{part:.2f} ({part / whole:.0%})"


SECTIONS: dict[str, Callable[[Report], str]] = {
    "summary": section_summary,
    "behind": section_behind,
    "behind_elsewhere": section_behind_elsewhere,
    "interpreters": section_interpreters,
    "builds": section_builds,
    "all": section_all,
    "hooks": section_hooks,
    "hooks_floor": section_hooks_floor,
    "pure_calls": section_pure_calls,
    "pure_steps": section_pure_steps,
    "elsewhere": section_elsewhere,
    "micro": section_micro,
    "steps": section_steps,
    "targets": section_targets,
}


def fill(
    text: str,
    report: Report,
    sections: dict[str, Callable[[Report], str]] = SECTIONS,
    mark: str = "bench",
) -> str:
    """*text* with each section that is marked *mark* as *report* gives it."""

    def replace(found: re.Match[str]) -> str:
        name = found[1]
        return (
            f"<!-- {mark}:{name} -->\n\n{sections[name](report)}\n\n"
            f"<!-- /{mark}:{name} -->"
        )

    return re.sub(rf"(?s)<!-- {mark}:(\w+) -->.*?<!-- /{mark}:\1 -->", replace, text)


def settle(wanted: dict[Path, str], source: str, check: bool) -> int:
    """Write the files that are not as *wanted*; with *check* only name them.

    1 when *check* found one. *source* is where the numbers are from.
    """
    bad = 0
    for path, text in wanted.items():
        old = path.read_text(encoding="utf-8") if path.exists() else None
        if old == text:
            continue
        if check:
            print(f"{path.name} is not what {source} gives", file=sys.stderr)
            bad = 1
        else:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.name}", file=sys.stderr)
    return bad


def main(argv: list[str] | None = None) -> int:
    """Run from the command line; 1 when ``--check`` finds a file out of date."""
    parser = argparse.ArgumentParser(prog="python -m bench.report", description=__doc__)
    parser.add_argument("--json", type=Path, default=RESULTS, help="the numbers")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    args = parser.parse_args(argv)
    report: Report = json.loads(args.json.read_text(encoding="utf-8"))
    report["micro"] = json.loads(MICRO.read_text(encoding="utf-8"))
    report["micro_other"] = json.loads(MICRO_OTHER.read_text(encoding="utf-8"))
    report["other_python"] = json.loads(OTHER_PYTHON.read_text(encoding="utf-8"))
    everyone = present(report)
    wanted = {
        PICTURE: svg(report, [n for n in everyone if CANDIDATES[n].telling]),
        WHOLE_PICTURE: svg(report, everyone),
    }
    for page in PAGES:
        wanted[page] = fill(page.read_text(encoding="utf-8"), report)
    return settle(wanted, args.json.name, args.check)


if __name__ == "__main__":
    sys.exit(main())
