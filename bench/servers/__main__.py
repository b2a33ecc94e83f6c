"""``python -m bench.servers``: hello world through real servers, as requests a second.

A server has one core and the load generator, wrk, another; 32 connections, kept alive
where the server does that. Candidates take turns on each server, several times; an
answer that is not the workload's is refused, and so is a run with a single error in it.
Everything stays on the loopback and ends by itself.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any
from typing import NoReturn

from ..__main__ import chosen
from ..candidates import about
from ..candidates import CANDIDATES
from ..timing import dumps
from ..workloads import Refused
from ..workloads import Workload
from ..workloads import WORKLOADS
from . import report
from . import WORKLOAD
from .load import CONNECTIONS
from .load import Load
from .load import put_under_load
from .load import wrk
from .serve import Kind
from .serve import Server
from .serve import ServerError
from .serve import SERVERS
from .serve import serving

WSGI = [name for name, candidate in CANDIDATES.items() if not candidate.asgi]
DEFAULT = ("raw", "fastdispatch", "accelerated", "falcon", "bottle", "flask")


def check(server: Server, workload: Workload) -> None:
    """Raise ``Refused`` unless the server gives the workload's answer."""
    workload.check(server.forward, workload.environ())


def measure(
    kind: Kind,
    candidates: list[str],
    rounds: int,
    seconds: int,
    cpus: tuple[int, int],
    in_time: Callable[[], None],
) -> dict[str, Any]:
    """Every candidate on one server: all are up, and are put under load in turn.

    A candidate whose server fails, or that is refused, is left out from then on.
    """
    workload = WORKLOADS[WORKLOAD]
    runs: dict[str, list[Load]] = {}
    out: dict[str, str] = {}
    up: dict[str, Server] = {}
    keep_alive = True

    def attempt(candidate: str, step: Callable[[], None]) -> None:
        in_time()
        try:
            step()
        except (ServerError, Refused, HTTPException, OSError) as error:
            out[candidate] = f"{type(error).__name__}: {error}"
            up.pop(candidate, None)
            runs.pop(candidate, None)
            print(f"{kind.title}, {candidate}: {out[candidate]}", file=sys.stderr)

    with contextlib.ExitStack() as stack:

        def start(candidate: str) -> None:
            nonlocal keep_alive
            server = stack.enter_context(serving(kind, candidate, cpus[0]))
            check(server, workload)
            keep_alive = server.keeps_alive()
            put_under_load(server, 1, cpus[1])  # to warm up
            check(server, workload)
            up[candidate] = server

        def load(candidate: str) -> None:
            found = put_under_load(up[candidate], seconds, cpus[1])
            runs.setdefault(candidate, []).append(found)

        for candidate in candidates:
            attempt(candidate, partial(start, candidate))
        for n in range(rounds):
            print(f"{kind.title}: round {n + 1} of {rounds}", file=sys.stderr)
            for candidate in list(up):
                attempt(candidate, partial(load, candidate))
    return {
        "title": kind.title,
        "version": kind.version(),
        "command": kind.command,
        "keep_alive": keep_alive,
        "runs": {
            name: {
                "rate": [run.rate for run in found],
                **{
                    field: [asdict(run)[field] for run in found]
                    for field in ("p50", "p99", "busy")
                },
            }
            for name, found in runs.items()
        },
        "out": out,
    }


def install(kind: Kind) -> str | None:
    """Install a server that is missing; why that failed, or None."""
    if kind.version() is not None:
        return None
    command = [sys.executable, "-m", "pip", "install", "--quiet", kind.distribution]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode == 0:
        return None
    return f"pip could not install it: {reason(done.stderr)}"


def reason(output: str) -> str:
    """The line of pip's complaints that says most: a compiler's, else pip's last."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for mark in ("fatal error: ", "error: "):
        for line in lines:
            if mark in line.lower() and "subprocess-exited" not in line:
                return line
    return lines[-1] if lines else "no reason given"


def _stopped(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)  # so that every ``finally`` runs


def main(argv: list[str] | None = None) -> int:
    """Run from the command line; 1 when a candidate failed or was refused."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.servers", description=__doc__
    )
    parser.add_argument(
        "--only", default=",".join(SERVERS), help=f"servers: {', '.join(SERVERS)}"
    )
    parser.add_argument(
        "--candidates",
        default=",".join(DEFAULT),
        help=f"default: {','.join(DEFAULT)}; there are {', '.join(WSGI)}",
    )
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    parser.add_argument(
        "--seconds", type=int, default=2, help="how long a load lasts; default: 2"
    )
    parser.add_argument(
        "--limit", type=int, default=480, help="stop after so many seconds; default 480"
    )
    parser.add_argument(
        "--install",
        action="store_true",
        help="pip install the servers that are missing",
    )
    parser.add_argument("--json", type=Path, help="write the numbers there")
    args = parser.parse_args(argv)
    if args.rounds < 1 or args.seconds < 1:
        raise SystemExit("bench.servers: --rounds and --seconds are 1 or more")
    wanted = chosen(args.only, SERVERS, "--only")
    candidates = chosen(args.candidates, WSGI, "--candidates")
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        raise SystemExit(
            "bench.servers needs two cores: one for the server, one for the load"
        )
    load_generator = subprocess.run([wrk(), "-v"], capture_output=True, text=True)
    end = time.monotonic() + args.limit

    def in_time() -> None:
        if time.monotonic() > end:
            raise SystemExit(f"bench.servers: not done in {args.limit} s (--limit)")

    found: dict[str, Any] = {
        **about(CANDIDATES),
        "rounds": args.rounds,
        "seconds": args.seconds,
        "connections": CONNECTIONS,
        "servers": {},
        "missing": {},
    }
    found["versions"]["wrk"] = load_generator.stdout.split()[1]
    for name in wanted:
        kind = SERVERS[name]
        why = install(kind) if args.install else None
        if kind.version() is None:
            found["missing"][kind.title] = why or "not installed (--install tries to)"
            continue
        found["servers"][name] = measure(
            kind, candidates, args.rounds, args.seconds, (cpus[0], cpus[-1]), in_time
        )
    print(report.markdown(found))
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(dumps(found), encoding="utf-8")
    return int(any(entry["out"] for entry in found["servers"].values()))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stopped)
    sys.exit(main())
