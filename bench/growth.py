"""``python -m bench.growth``: how the time of a request grows with the program.

Rules, hooks, nested blueprints, request headers and the request's body, each alone, on
fastdispatch and on the frameworks that have such a thing. ``--json`` writes the
numbers; ``--draw`` makes ``docs/growth.svg`` and the tables between the markers
``<!-- growth:NAME -->`` of what is written already; ``--check`` fails where a file is
not what the numbers give.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html import escape
from math import ceil
from math import floor
from math import log10
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any

from .candidates import about
from .candidates import CANDIDATES
from .report import COLUMNS
from .report import fill
from .report import framed
from .report import GAP
from .report import HEAD
from .report import MARGIN
from .report import PAGES
from .report import PANEL
from .report import Report
from .report import ROOT
from .report import settle
from .report import table
from .report import us
from .report import wrapped
from .timing import dumps
from .timing import measure
from .timing import Progress
from .timing import Ready
from .workloads import Environ
from .workloads import HELLO
from .workloads import Refused
from .workloads import Unsupported
from .workloads import Workload
from .workloads import WSGIApp

RESULTS = ROOT / "bench" / "results" / "growth.json"
PICTURE = ROOT / "docs" / "growth.svg"
ROUNDS, BATCHES, SECONDS = 7, 10, 0.002
SIZES = ["1 KiB", "10 KiB", "100 KiB", "1 MiB", "10 MiB"]
UNITS = {"KiB": 1024, "MiB": 1024**2}


@dataclass(frozen=True)
class Curve:
    """What grows: a title for the picture, what is meant, and the steps."""

    title: str
    what: str
    steps: list[str]


CURVES = {
    "rules": Curve(
        "Rules",
        "rules `/section…/item/<int:id>`, the last of them matches",
        ["10", "100", "1000", "10000"],
    ),
    "hooks": Curve(
        "Hooks of each kind",
        "`before_request`, `after_request` and `teardown_request` hooks, so many each",
        ["0", "1", "3", "10", "30", "100"],
    ),
    "blueprints": Curve(
        "Blueprints, one in another",
        "blueprints, one in another, the view in the innermost",
        ["0", "1", "3", "10"],
    ),
    "headers": Curve(
        "Request headers",
        "request headers, of which the view reads one",
        ["5", "10", "30", "100"],
    ),
    "body": Curve(
        "Bytes of a request's body",
        "bytes of the request's body, which the view reads as a whole",
        SIZES,
    ),
}


# The programs


def before() -> None:
    pass


def after(response: Any) -> Any:
    return response


def teardown(error: BaseException | None) -> None:
    pass


def flask_shaped(api: ModuleType, curve: str, n: int) -> WSGIApp:
    """The program on Flask, or on fastdispatch, which has Flask's names."""
    make = api.App if hasattr(api, "App") else api.Flask
    app = make("bench.growth", static_folder=None)
    request = api.request
    if curve == "rules":
        for i in range(n):
            app.add_url_rule(f"/section{i}/item/<int:id>", f"{i}", lambda id: HELLO)
        return app  # type: ignore[no-any-return]
    if curve == "hooks":
        for _ in range(n):
            app.before_request(before)
            app.after_request(after)
            app.teardown_request(teardown)
    levels = [app]
    if curve == "blueprints":
        for i in range(n):
            levels.append(api.Blueprint(f"b{i}", "bench.growth", url_prefix=f"/b{i}"))
    views: dict[str, Callable[[], str]] = {
        "headers": lambda: request.headers["Accept-Language"],
        "body": lambda: str(len(request.get_data(cache=False))),
    }
    view = views.get(curve, lambda: HELLO)
    levels[-1].add_url_rule("/", "view", view, methods=["GET", "POST"])
    for n in reversed(range(1, len(levels))):
        levels[n - 1].register_blueprint(levels[n])
    return app  # type: ignore[no-any-return]


def on_fastdispatch(curve: str, n: int) -> WSGIApp:
    import fastdispatch

    return flask_shaped(fastdispatch, curve, n)


def on_pure(curve: str, n: int) -> WSGIApp:
    from fastdispatch import _build

    return flask_shaped(_build.load_pure(), curve, n)


def on_flask(curve: str, n: int) -> WSGIApp:
    import flask

    return flask_shaped(flask, curve, n)


def on_accelerated(curve: str, n: int) -> WSGIApp:
    import fastdispatch

    app: WSGIApp = fastdispatch.accelerate(on_flask(curve, n))  # type: ignore[type-var]
    return app


def on_falcon(curve: str, n: int) -> WSGIApp:
    import falcon

    class Before:
        def process_request(self, req: Any, resp: Any) -> None:
            pass

    class After:
        def process_response(
            self, req: Any, resp: Any, resource: Any, ok: bool
        ) -> None:
            pass

    class View:
        def on_get(self, req: Any, resp: Any, id: int = 0) -> None:
            resp.content_type = falcon.MEDIA_HTML
            if curve == "headers":
                resp.text = req.get_header("Accept-Language")
            elif curve == "body":
                resp.text = str(len(req.bounded_stream.read()))
            else:
                resp.text = HELLO

        on_post = on_get

    if curve == "blueprints":
        raise Unsupported("Falcon has no blueprints")
    if curve == "rules" and n > 1000:
        raise Unsupported("Falcon takes more than a minute to add so many routes")
    hooks = n if curve == "hooks" else 0
    middleware: list[Any] = [Before() for _ in range(hooks)]
    middleware += [After() for _ in range(2 * hooks)]
    app: Any = falcon.App(middleware=middleware)
    if curve == "rules":
        for i in range(n):
            app.add_route(f"/section{i}/item/{{id:int}}", View())
    else:
        app.add_route("/", View())
    result: WSGIApp = app
    return result


PROGRAMS: dict[str, Callable[[str, int], WSGIApp]] = {
    "fastdispatch": on_fastdispatch,
    "accelerated": on_accelerated,
    "fastdispatch-pure": on_pure,
    "falcon": on_falcon,
    "flask": on_flask,
}


def number_of(step: str) -> int:
    """What a step says in words."""
    count, _, unit = step.partition(" ")
    return int(count) * UNITS.get(unit, 1)


def workload(curve: str, n: int) -> Workload:
    """The request and its answer, with *n* of what the curve counts."""
    path, body, payload = "/", HELLO, None
    changes: Environ = {}
    if curve == "rules":
        path = f"/section{n - 1}/item/7"
    elif curve == "blueprints":
        path = "".join(f"/b{i}" for i in range(n)) + "/"
    elif curve == "headers":
        body = "en"
    elif curve == "body":
        payload = bytes(n)
        body = str(n)
        changes = {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": "application/octet-stream",
        }
    return Workload(
        curve,
        f"{curve}: {n}",
        path,
        body=body.encode(),
        changes=changes,
        payload=payload,
    )


def environ_of(curve: str, n: int) -> Environ:
    """The environ of that request; a browser's, but for the number of headers."""
    environ = workload(curve, n).environ()
    if curve == "headers":
        few = {k: v for k, v in environ.items() if not k.startswith("HTTP_")}
        more = {f"HTTP_X_HEADER_{i}": f"value {i}" for i in range(n - 2)}
        host = {"HTTP_HOST": environ["HTTP_HOST"]}
        environ = few | host | more | {"HTTP_ACCEPT_LANGUAGE": "en"}
    return environ


def prepare(curve: str, n: int) -> tuple[dict[str, Ready], dict[str, str]]:
    """The programs that answer as they must, and why the others are not there."""
    wanted = workload(curve, n)
    environ = environ_of(curve, n)
    ready: dict[str, Ready] = {}
    out: dict[str, str] = {}
    for name, make in PROGRAMS.items():
        try:
            app = make(curve, n)
        except Unsupported as e:
            out[name] = str(e)
            continue
        try:
            wanted.check(app, environ)
        except Refused as e:
            raise Refused(f"{name}, {wanted.title}: {e}") from e
        ready[name] = app, environ, wanted.payload
    return ready, out


def grow(
    curves: dict[str, list[str]], rounds: int, batches: int, seconds: float
) -> dict[str, Any]:
    """Curve → steps, reasons, and candidate → µs a request at each step, or None.

    The median over the rounds; None where there is a reason, by candidate and step.
    """
    found: dict[str, Any] = {}
    progress = Progress(rounds * sum(map(len, curves.values())))
    for curve, steps in curves.items():
        lines: dict[str, list[float | None]] = {name: [] for name in PROGRAMS}
        why: dict[str, dict[str, str]] = {}
        for step in steps:
            ready, out = prepare(curve, number_of(step))
            said = partial(progress.step, f"{step} {curve}")
            times = measure(ready, rounds, batches, seconds, said, least=2)
            for name, line in lines.items():
                line.append(median(times[name]) if name in times else None)
            for name, reason in out.items():
                why.setdefault(name, {})[step] = reason
        found[curve] = {"steps": steps, "times": lines, "out": why}
    return found


def known(line: list[float | None]) -> list[tuple[int, float]]:
    """The steps at which there is a time, and the times."""
    return [(n, value) for n, value in enumerate(line) if value is not None]


# The picture and the tables

STYLE = """<style>
  .line { fill: none; stroke-width: 2; stroke-linejoin: round }
  .grid { stroke: #d1d9e0; stroke-width: .5 } .small { font-size: 10px }
  .fastdispatch { stroke: #0969da } .accelerated { stroke: #54aeff }
  .fastdispatch-pure { stroke: #8ab4e8; stroke-dasharray: 5 3 }
  .falcon { stroke: #bf8700 } .flask { stroke: #59636e }
  @media (prefers-color-scheme: dark) {
    .grid { stroke: #3d444d } .fastdispatch { stroke: #58a6ff }
    .accelerated { stroke: #2f6fc4 } .fastdispatch-pure { stroke: #35619c }
    .falcon { stroke: #d29922 } .flask { stroke: #9198a1 }
  }
</style>"""
HIGH, TOP, LEFT = 230, 22, 42
PLOT = 160


def plot(x: float, y: float, title: str, entry: Report) -> list[str]:
    """One curve's panel: logarithmic time, a step of what grows to a tick."""
    values = [value for line in entry["times"].values() for _, value in known(line)]
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    steps = entry["steps"]
    wide = (PANEL - LEFT - 16) / (len(steps) - 1)

    def up(value: float) -> float:
        return TOP + PLOT * (high - log10(value)) / (high - low)

    out = [
        f'<g transform="translate({x:.1f} {y:.1f})">',
        f'<text class="title" y="11">{escape(title)}</text>',
    ]
    for power in range(low, high + 1):
        at = up(10.0**power)
        label = f"{10**power:g} µs" if power < 3 else f"{10 ** (power - 3):g} ms"
        out += [
            f'<path class="grid" d="M{LEFT} {at:.1f}H{PANEL - 8:.1f}"/>',
            f'<text class="small muted" x="{LEFT - 5}" y="{at + 3:.1f}" '
            f'text-anchor="end">{label}</text>',
        ]
    for n, step in enumerate(steps):
        out.append(
            f'<text class="small muted" x="{LEFT + n * wide:.1f}" '
            f'y="{TOP + PLOT + 15}" text-anchor="middle">{step}</text>'
        )
    for name, line in entry["times"].items():
        points = [f"{LEFT + n * wide:.1f} {up(value):.1f}" for n, value in known(line)]
        if points:
            out.append(f'<path class="line {name}" d="M{"L".join(points)}"/>')
    return [*out, "</g>"]


def key(x: float, y: float, names: list[str]) -> list[str]:
    """Which line is whose."""
    out = [f'<g transform="translate({x:.1f} {y:.1f})">']
    out.append('<text class="title" y="11">Who is who</text>')
    for n, name in enumerate(names):
        at = TOP + 5 + n * 18
        out += [
            f'<path class="line {name}" d="M0 {at}H24"/>',
            f'<text x="31" y="{at + 4}">{escape(CANDIDATES[name].label)}</text>',
        ]
    return [*out, "</g>"]


def caption(report: Report) -> list[str]:
    """What was measured with what."""
    v = report["versions"]
    return [
        f"fastdispatch {v['fastdispatch']}, {v['fastdispatch build']} build, on "
        f"{v['python']}, Werkzeug {v['werkzeug']}, {report['platform']}. "
        f"Flask {v['flask']}, Falcon {v['falcon']}. Measured {report['date']} in "
        f"{report['rounds']} rounds, all candidates in turn; medians of a round's best "
        f"of {report['batches']}.",
    ]


def svg(report: Report) -> str:
    """The picture: a panel a curve, and the key."""
    body = [STYLE]
    places = [
        (
            MARGIN + n % COLUMNS * (PANEL + GAP),
            HEAD + n // COLUMNS * HIGH,
        )
        for n in range(len(report["curves"]) + 1)
    ]
    for (name, entry), place in zip(report["curves"].items(), places, strict=False):
        body += plot(*place, CURVES[name].title, entry)
    body += key(*places[-1], list(PROGRAMS))
    return framed(
        "How the time of a request grows with rules, hooks, blueprints, headers, body",
        spoken(report),
        "What a request takes as the program grows",
        "Lower is better, level does not grow. The scale of time is logarithmic.",
        body,
        HEAD + -(-len(places) // COLUMNS) * HIGH,
        [line for text in caption(report) for line in wrapped(text, 146)],
    )


def spoken(report: Report) -> str:
    """The picture in words."""
    parts = []
    for name, entry in report["curves"].items():
        lines = []
        for candidate, line in entry["times"].items():
            if points := known(line):
                (first, low), (last, high) = points[0], points[-1]
                lines.append(
                    f"{CANDIDATES[candidate].label} {us(low)} µs at "
                    f"{entry['steps'][first]}, {us(high)} at {entry['steps'][last]}"
                )
        parts.append(f"{CURVES[name].title}: {'; '.join(lines)}.")
    return " ".join(parts)


def section_all(report: Report) -> str:
    """A table a curve: µs at each step, and the last step by the first."""
    parts = []
    for name, entry in report["curves"].items():
        rows = []
        for candidate, line in entry["times"].items():
            if points := known(line):
                cells = ["–" if value is None else us(value) for value in line]
                growth = f"{points[-1][1] / points[0][1]:.2f}"
                rows.append([CANDIDATES[candidate].label, *cells, growth])
        head = ["µs a request", *entry["steps"], "last ÷ first"]
        what = CURVES[name].what
        parts.append(f"{what[0].upper()}{what[1:]}:\n\n{table(head, rows)}")
        reasons = {r for steps in entry["out"].values() for r in steps.values()}
        parts += [f"{reason}." for reason in sorted(reasons)]
    return "\n\n".join([*parts, *caption(report)])


def main(argv: list[str] | None = None) -> int:
    """Run from the command line; 1 when ``--check`` finds a file out of date."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the numbers there")
    parser.add_argument("--draw", action="store_true", help="measure nothing, draw")
    parser.add_argument("--check", action="store_true", help="measure nothing, compare")
    args = parser.parse_args(argv)
    if args.draw or args.check:
        report: Report = json.loads(RESULTS.read_text(encoding="utf-8"))
        wanted = {PICTURE: svg(report)}
        for page in PAGES:
            text = page.read_text(encoding="utf-8")
            wanted[page] = fill(text, report, {"all": section_all}, "growth")
        return settle(wanted, RESULTS.name, args.check)
    steps = {name: curve.steps for name, curve in CURVES.items()}
    report = {
        **about(PROGRAMS),
        "rounds": ROUNDS,
        "batches": BATCHES,
        "curves": grow(steps, ROUNDS, BATCHES, SECONDS),
    }
    print(section_all(report))
    if args.json:
        args.json.write_text(dumps(report), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
