"""The load: wrk on a core of its own, and what it reports."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path

from ..workloads import Refused
from .serve import pinned
from .serve import Server
from .serve import ServerError

CONNECTIONS = 32
MARK = "bench: "

# wrk calls ``done`` when the load is over; its printed report rounds and mixes units.
SCRIPT = (
    """
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('\\n"""
    + MARK
    + """{"requests": %d, "us": %d, "p50": %d, "p99": %d, "connect": %d,'
    .. ' "read": %d, "write": %d, "timeout": %d, "status": %d}\\n',
    summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), errors.connect, errors.read, errors.write,
    errors.timeout, errors.status))
end
"""
)


@dataclass(frozen=True)
class Load:
    """One run: requests answered, in how many seconds, latencies in milliseconds.

    ``busy`` is the share of its core that the server used.
    """

    requests: int
    seconds: float
    p50: float
    p99: float
    busy: float = 0.0

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


def parse(output: str) -> Load:
    """What wrk found; ``Refused`` if a request failed or was answered with an error."""
    lines = [line for line in output.splitlines() if line.startswith(MARK)]
    if len(lines) != 1:
        raise Refused(f"wrk did not report: {output.strip()[-500:]!r}")
    found: dict[str, int] = json.loads(lines[0].removeprefix(MARK))
    names = ("connect", "read", "write", "timeout", "status")
    failed = {name: found[name] for name in names if found[name]}
    if failed:
        what = ", ".join(f"{name} {count}" for name, count in failed.items())
        raise Refused(f"errors among {found['requests']} requests: {what}")
    if not found["requests"]:
        raise Refused("no request was answered")
    return Load(
        requests=found["requests"],
        seconds=found["us"] / 1e6,
        p50=found["p50"] / 1000,
        p99=found["p99"] / 1000,
    )


def wrk() -> str:
    """The program; ``SystemExit`` with advice where it is not installed."""
    path = shutil.which("wrk")
    if path is None:
        raise SystemExit("bench.servers needs wrk (Debian: apt-get install wrk)")
    return path


def put_under_load(server: Server, seconds: int, cpu: int) -> Load:
    """*seconds* of requests over ``CONNECTIONS`` connections, from that core."""
    with tempfile.TemporaryDirectory() as directory:
        script = Path(directory) / "report.lua"
        script.write_text(SCRIPT, encoding="utf-8")
        command = [
            *(wrk(), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script)),
            f"http://127.0.0.1:{server.port}/",
        ]
        used = server.cpu_seconds()
        with pinned(cpu):
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
        try:
            output, _ = process.communicate(timeout=seconds + 10)
        except subprocess.TimeoutExpired:
            raise ServerError(
                f"{server.name}: wrk did not end in {seconds + 10} s"
            ) from None
        finally:
            process.kill()
            process.wait()
        used = server.cpu_seconds() - used
    server.alive()
    load = parse(output)
    return replace(load, busy=used / load.seconds)
