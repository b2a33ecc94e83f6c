"""``python -m bench``: the same work on each framework, interleaved, as ratios.

Every number is one WSGI call in process: copy the environ, call the application, join
the iterable, ``close()``; of those marked ASGI, one call on a running event loop: copy
the scope, await the application (see ``bench.asgi``). Rounds go over all candidates in
turn; a round keeps the fastest of its batches, and the table shows the median over the
rounds.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from .asgi import ASGI
from .candidates import about
from .candidates import CANDIDATES
from .candidates import load
from .candidates import OURS
from .flask_steps import flask_steps
from .pure_steps import NAMES as PURE_STEPS
from .pure_steps import pure_steps
from .timing import count_calls
from .timing import drive
from .timing import dumps
from .timing import floors
from .timing import measure
from .timing import Progress
from .timing import Ready
from .workloads import Refused
from .workloads import Unsupported
from .workloads import Workload
from .workloads import WORKLOADS


def prepare(
    workload: Workload, candidates: list[str]
) -> tuple[dict[str, Ready], dict[str, str]]:
    """Applications whose answers are the workload's, and why the others are out."""
    ready: dict[str, Ready] = {}
    out: dict[str, str] = {}
    for name in candidates:
        try:
            app = load(name, workload.name)
            ready[name] = app, workload.prepare(app), workload.payload
        except Unsupported as e:
            out[name] = f"none: {e}"
        except Refused as e:
            out[name] = f"REFUSED: {e}"
        except Exception as e:
            if name not in OURS:
                raise
            where = traceback.extract_tb(e.__traceback__)[-1]
            out[name] = (
                f"FAILED: {type(e).__name__}: {e!s:.120} "
                f"({Path(where.filename).name}:{where.lineno})"
            )
    return ready, out


def ratio(times: dict[str, list[float]], name: str, base: str | None) -> float | None:
    """The median over the rounds of *name*'s time by *base*'s of the same round."""
    if base is None or base not in times:
        return None
    return median(a / b for a, b in zip(times[name], times[base], strict=True))


def rows(times: dict[str, list[float]]) -> list[dict[str, Any]]:
    """One row a candidate, quickest first."""
    mid = {name: median(values) for name, values in times.items()}
    peers = [name for name in mid if name not in OURS and name != "raw"]
    best = min(peers, key=mid.__getitem__) if peers else None
    return [
        {
            "candidate": name,
            "us": mid[name],
            "spread": max(times[name]) / min(times[name]) - 1,
            "by_raw": ratio(times, name, "raw"),
            "by_best_peer": ratio(times, name, best),
            "best_peer": best,
            "flask_by": ratio(times, "flask", name) if "flask" in times else None,
        }
        for name in sorted(mid, key=mid.__getitem__)
    ]


def _cell(value: float | None, form: str = ".2f") -> str:
    return "–" if value is None else format(value, form)


def markdown(report: dict[str, Any]) -> str:
    """The report as Markdown tables."""
    out = ["# fastdispatch bench", ""]
    out += [f"- {key}: {value}" for key, value in report["versions"].items()]
    out += [
        f"- loop and environ copy, in every number: {report['floor']:.2f} µs",
        f"- scope copy, receive and send, in ASGI's: {report['asgi_floor']:.2f} µs",
        f"- {report['rounds']} rounds, each the fastest of {report['batches']} batches",
    ]
    for entry in report["workloads"]:
        out += [
            "",
            f"## {entry['name']}: {entry['title']}",
            "",
            "| candidate | µs | spread | × raw | × best peer | Flask ÷ |",
            "|---|---:|---:|---:|---:|---:|",
        ]
        for row in entry["rows"]:
            label = CANDIDATES[row["candidate"]].label
            out.append(
                f"| {label} | {row['us']:.2f} | {row['spread']:.0%} | "
                f"{_cell(row['by_raw'])} | {_cell(row['by_best_peer'])} | "
                f"{_cell(row['flask_by'], '.1f')} |"
            )
        if entry["out"]:
            out.append("")
        out += [f"- {name}: {why}" for name, why in entry["out"].items()]
    return "\n".join(out) + "\n"


def chosen(text: str, known: Any, option: str) -> list[str]:
    """The names in *text*, with commas between; all of them *known*."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(
            f"bench: {option}: no such name: {', '.join(unknown)} "
            f"(there are {', '.join(known)})"
        )
    return names


def main(argv: list[str] | None = None) -> int:
    """Run from the command line; 1 when one of ours was refused or failed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", default="", help="workloads: W1,W3 (default: all)")
    parser.add_argument(
        "--peers",
        default=",".join(CANDIDATES),
        help=f"default: all; fastdispatch's go along: {', '.join(CANDIDATES)}",
    )
    parser.add_argument("--no-ours", action="store_true", help="leave fastdispatch out")
    parser.add_argument(
        "--check", action="store_true", help="compare answers, no timing"
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--quick", action="store_true", help="seconds a workload (the default)"
    )
    size.add_argument(
        "--full", action="store_true", help="more and longer rounds: minutes"
    )
    parser.add_argument("--json", type=Path, help="write the report there as JSON")
    parser.add_argument(
        "--note", default="", help="whose build of Python this is, for the report"
    )
    parser.add_argument("--markdown", type=Path, help="write it there as Markdown too")
    parser.add_argument(
        "--spin",
        type=float,
        metavar="SECONDS",
        help="only run each application that long (to profile it from outside)",
    )
    args = parser.parse_args(argv)

    names = chosen(args.only, WORKLOADS, "--only") or list(WORKLOADS)
    peers = chosen(args.peers, CANDIDATES, "--peers")
    if args.spin is None and not args.no_ours:
        peers = [*peers, *(name for name in OURS if name not in peers)]
    if args.no_ours:
        peers = [name for name in peers if name not in OURS]
    candidates = [name for name in CANDIDATES if name in peers]
    # Short batches, so that many of them pass without an interruption.
    rounds, batches, seconds = (25, 20, 0.003) if args.full else (5, 10, 0.002)

    report: dict[str, Any] = {
        **about(candidates),
        **floors(),
        "note": args.note,
        "rounds": rounds,
        "batches": batches,
        "workloads": [],
    }
    bad = False
    progress = Progress(len(names) * rounds)
    for name in names:
        workload = WORKLOADS[name]
        ready, out = prepare(workload, candidates)
        bad = bad or any(
            c in OURS and not why.startswith("none") for c, why in out.items()
        )
        if args.spin is not None:
            for one in ready.values():
                end = time.perf_counter() + args.spin
                while time.perf_counter() < end:
                    drive(*one, 1000)
            continue
        if args.check:
            print(f"{name} same answer: {', '.join(ready) or 'nobody'}")
            for candidate, why in out.items():
                print(f"{name} {candidate}: {why}")
            continue
        calls = {
            candidate: count_calls(*one)
            for candidate, one in ready.items()
            if not isinstance(one[0], ASGI)
        }
        times = measure(ready, rounds, batches, seconds, partial(progress.step, name))
        report["workloads"].append(
            {
                "name": name,
                "title": workload.title,
                "rows": rows(times),
                "out": out,
                "times": times,
                "calls": calls,
            }
        )
    if args.spin is None and not args.check:
        if "flask" in candidates and "W1" in names:
            report["flask_steps"] = flask_steps()
        apart = [name for name in PURE_STEPS if name in names]
        if "fastdispatch-pure" in candidates and apart:
            report["pure_steps"] = pure_steps(apart)
        text = markdown(report)
        print(text)
        if args.markdown:
            args.markdown.write_text(text, encoding="utf-8")
        if args.json:
            args.json.parent.mkdir(parents=True, exist_ok=True)
            args.json.write_text(dumps(report), encoding="utf-8")
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
