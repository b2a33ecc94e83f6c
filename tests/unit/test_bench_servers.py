"""The benchmark through servers: what it reads and prints, and that it cleans up."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from bench.servers import load
from bench.servers import report
from bench.servers.__main__ import check
from bench.servers.__main__ import main
from bench.servers.__main__ import measure
from bench.servers.__main__ import reason
from bench.servers.serve import Kind
from bench.servers.serve import ServerError
from bench.servers.serve import SERVERS
from bench.servers.serve import serving
from bench.workloads import Refused
from bench.workloads import WORKLOADS

CORES = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []

starts_servers = pytest.mark.skipif(
    len(CORES) < 2,
    reason="the benchmark pins servers to a core: Linux, and two of them",
)
NUMBERS = {"requests": 1000, "us": 2_000_000, "p50": 500, "p99": 1500}
NO_ERRORS = {"connect": 0, "read": 0, "write": 0, "timeout": 0, "status": 0}


# What wrk says


def said(**changes: int) -> str:
    found = json.dumps(NUMBERS | NO_ERRORS | changes)
    return f"Running 2s test\n  Requests/sec: 500\n\n{load.MARK}{found}\n"


def test_the_numbers_are_read_from_the_marked_line() -> None:
    found = load.parse(said())
    assert (found.requests, found.seconds, found.rate) == (1000, 2.0, 500.0)
    assert (found.p50, found.p99) == (0.5, 1.5)


@pytest.mark.parametrize("error", NO_ERRORS)
def test_a_run_with_an_error_is_refused(error: str) -> None:
    with pytest.raises(Refused, match=f"1000 requests: {error} 3$"):
        load.parse(said(**{error: 3}))


def test_a_run_without_answers_or_report_is_refused() -> None:
    with pytest.raises(Refused, match="no request"):
        load.parse(said(requests=0))
    with pytest.raises(Refused, match="did not report: 'unable to connect'"):
        load.parse("unable to connect\n")


# What pip says

PIP = """\
  error: subprocess-exited-with-error
  × Building wheel for bjoern (pyproject.toml) did not run successfully.
  ╰─> [8 lines of output]
      gcc -c bjoern/server.c
      bjoern/server.c:5:10: fatal error: ev.h: No such file or directory
      error: command '/usr/bin/gcc' failed with exit code 1
  ERROR: Failed building wheel for bjoern
"""


def test_the_reason_is_the_compiler_s_where_there_is_one() -> None:
    lines = PIP.splitlines(keepends=True)
    assert reason(PIP).endswith("fatal error: ev.h: No such file or directory")
    del lines[4]
    assert reason("".join(lines)).startswith("error: command '/usr/bin/gcc' failed")
    assert reason("ERROR: No matching distribution\n").endswith("distribution")
    assert reason("it did not\nwork\n") == "work"
    assert reason("") == "no reason given"


# What is printed


def runs(*rate: float, busy: float = 1.0) -> dict[str, list[float]]:
    same = [1.0] * len(rate)
    return {"rate": list(rate), "p50": same, "p99": same, "busy": [busy] * len(rate)}


def a_report() -> dict[str, Any]:
    """Two rounds, in the second of which everything is half as fast."""
    names = ("fastdispatch", "werkzeug", "flask", "falcon", "bottle", "wrk")
    return {
        "versions": dict.fromkeys(names, "1.10.0")
        | {"python": "CPython 3.99", "fastdispatch build": "compiled"},
        "platform": "Linux",
        "date": "2020-01-01",
        "rounds": 2,
        "seconds": 1,
        "connections": 32,
        "missing": {"bjoern": "pip could not install it: no ev.h"},
        "servers": {
            "granian": {
                "title": "granian",
                "version": "2.0",
                "command": "-m granian",
                "keep_alive": True,
                "runs": {
                    "raw": runs(50_000, 25_000),
                    "fastdispatch": runs(45_000, 22_500),
                    "accelerated": runs(40_000, 20_000, busy=0.5),
                    "flask": runs(8_000, 4_000),
                },
                "out": {"falcon": "Refused: errors\nand more"},
            },
            "sync": {
                "title": "gunicorn, sync",
                "version": "3.0",
                "command": "-m gunicorn",
                "keep_alive": False,
                "runs": {"raw": runs(1000, 500), "fastdispatch": runs(800, 400)},
                "out": {},
            },
        },
    }


def test_the_committed_pages_and_picture_are_up_to_date() -> None:
    assert report.main(["--check"]) == 0


def test_the_committed_run_is_no_trial() -> None:
    run = json.loads(report.RESULTS.read_text("utf-8"))
    assert run["rounds"] >= 3
    assert run["seconds"] >= 2


def test_the_tables_hold_medians_and_ratios_within_a_round() -> None:
    found = a_report()
    summary = report.section_summary(found)
    assert (
        "| granian (2.0) | 37,500 | 33,750 | 6,000 | 90% | 16% | 5.6 | 5.0 |" in summary
    )
    assert "- bjoern: pip could not install it: no ev.h" in summary
    everything = report.section_all(found)
    assert "| granian | Falcon | Refused: errors | – |" in everything
    assert "| granian | Flask | 6,000 | 16% | 100% | 1.00 | 1.00 | 100% |" in everything
    assert "| 80% | 100% | 1.00 | 1.00 | 50% * |" in everything
    how = report.section_how(found)
    assert "| gunicorn, sync (3.0) | no: a connection a request |" in how


def test_what_was_to_be_reached_is_met_or_not() -> None:
    targets = report.section_targets(a_report())
    assert (
        "| granian (2.0) | 0.85 | 0.90 | yes | 6.00 | 5.00 | **no** | 6.25 |" in targets
    )
    assert (
        "| gunicorn, sync (3.0) | 0.90 | 0.80 | **no** | 1.75 | – | **no** | – |"
        in targets
    )
    assert set(report.TARGETS) == set(SERVERS)


def test_what_nobody_could_reach_is_said_to_be_so() -> None:
    found = a_report()
    found["servers"]["granian"]["runs"]["flask"] = runs(10_000, 5_000)
    targets = report.section_targets(found)
    assert "| 6.00 | 4.00 | **no**: more than there is | 5.00 |" in targets
    found["servers"]["granian"]["runs"]["raw"]["busy"] = [0.5, 0.5]
    assert "| 6.00 | 4.00 | **no** | 5.00 |" in report.section_targets(found)


def test_each_section_is_put_between_its_own_markers() -> None:
    for name in report.SECTIONS:
        page = f"a\n<!-- servers:{name} -->\nold\n<!-- /servers:{name} -->\nb"
        other = "<!-- bench:all -->kept<!-- /bench:all -->"
        once = report.fill(page + other, a_report(), report.SECTIONS, "servers")
        assert "old" not in once and once.endswith(f"\nb{other}")
        assert report.fill(once, a_report(), report.SECTIONS, "servers") == once


def test_the_picture_has_a_panel_for_each_server() -> None:
    tree = ElementTree.fromstring(report.svg(a_report()))
    svg = "{http://www.w3.org/2000/svg}"
    panels = [g for g in tree.iter(f"{svg}g") if g.find(f"{svg}path") is not None]
    texts = [[t.text for t in g.iter(f"{svg}text")] for g in panels]
    assert texts[0] == [
        "granian",
        "100% = 37,500/s",
        *("no framework", "100%", "fastdispatch", "90%"),
        *("Flask, accelerated", "80%", "Flask", "16%"),
    ]
    assert [text[0] for text in texts] == ["granian", "gunicorn, sync"]
    bars = [float(r.get("width", "0")) for r in panels[0].iter(f"{svg}rect")]
    assert bars == sorted(bars, reverse=True)


# What it starts, it ends


def python(program: str) -> Kind:
    """A server that is *program*, Python code without single quotation marks."""
    return Kind("test server", "pytest", f"-c '{program}'")


SERVES = """
from wsgiref.simple_server import make_server, WSGIRequestHandler
from bench.servers.program import app
server = make_server("127.0.0.1", {port}, app)
"""


def gone(pid: int) -> bool:
    """Whether a process ends, if it has not ended yet."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in (
                "Z",
                "X",
            ):
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


@starts_servers
def test_a_server_answers_on_its_core_and_is_gone_afterwards(tmp_path: Path) -> None:
    child = tmp_path / "child"
    # A child that does not listen to SIGTERM, as a worker that hangs would not.
    forks = f"""
import os, signal, time
if not os.fork():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open("{child}", "w").write(str(os.getpid()))
    time.sleep(60)
"""
    kind = python(forks + SERVES + "server.serve_forever()")
    with serving(kind, "raw", CORES[-1]) as s:
        check(s, WORKLOADS["W1"])
        assert os.sched_getaffinity(s.process.pid) == {CORES[-1]}
        assert not s.keeps_alive()
        pids = [s.process.pid, int(child.read_text())]
    assert sorted(os.sched_getaffinity(0)) == CORES
    assert all(gone(pid) for pid in pids)


@starts_servers
def test_an_answer_that_is_not_the_workload_s_is_refused() -> None:
    other = SERVES.replace("bench.servers.program", "wsgiref.simple_server")
    other = other.replace("import app", "import demo_app as app")
    with serving(python(other + "server.serve_forever()"), "raw", CORES[0]) as server:
        with pytest.raises(Refused, match="W1: body"):
            check(server, WORKLOADS["W1"])


@starts_servers
def test_a_server_that_does_not_start_is_an_error_with_its_log() -> None:
    with pytest.raises(ServerError, match="(?s)with raw ended.* code 1;.*out of luck"):
        with serving(python('raise SystemExit("out of luck")'), "raw", CORES[0]):
            pytest.fail("it is up")


@starts_servers
def test_a_server_that_does_not_answer_is_an_error_and_ended(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    silent = f'import os, time; open("{pid}", "w").write(str(os.getpid()))'
    with pytest.raises(ServerError, match="did not answer within 1 s"):
        with serving(python(f"{silent}; time.sleep(60)"), "raw", CORES[0], starting=1):
            pytest.fail("it is up")
    assert gone(int(pid.read_text()))


@starts_servers
def test_a_server_that_dies_under_load_is_left_out_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wrk = tmp_path / "wrk"
    wrk.write_text(
        f"#!{sys.executable}\nimport time, urllib.request\n"
        "import sys\ntry:\n    urllib.request.urlopen(sys.argv[-1] + 'die')\n"
        "except OSError:\n    time.sleep(0.5)\n"
    )
    wrk.chmod(0o755)
    monkeypatch.setattr(load, "wrk", lambda: str(wrk))
    dies = SERVES + (
        "import os, sys\n"
        "hello = app\n"
        "def app(environ, start):\n"
        '    if environ["PATH_INFO"] == "/die":\n'
        '        os.write(2, b"a fatal error")\n'
        "        os._exit(3)\n"
        "    return hello(environ, start)\n"
        "server.set_app(app)\n"
        "server.serve_forever()\n"
    )
    found = measure(python(dies), ["raw"], 1, 1, (CORES[0], CORES[1]), lambda: None)
    assert found["runs"] == {}
    assert "ended by itself with code 3" in found["out"]["raw"]
    assert "a fatal error" in found["out"]["raw"]


@starts_servers
@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_a_short_run_with_wrk_gives_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "servers.json"
    options = ["--only", "waitress", "--candidates", "raw,fastdispatch"]
    options += ["--rounds", "1", "--seconds", "1", "--json", str(target)]
    assert main(options) == 0
    entry = json.loads(target.read_text())["servers"]["waitress"]
    assert entry["keep_alive"] is True
    assert all(rate > 0 for run in entry["runs"].values() for rate in run["rate"])
    assert "waitress" in capsys.readouterr().out


@starts_servers
@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_a_run_that_is_stopped_leaves_nothing_running() -> None:
    command = [sys.executable, "-m", "bench.servers", "--only", "waitress"]
    run = subprocess.Popen(
        [*command, "--candidates", "raw", "--rounds", "60"], stderr=subprocess.PIPE
    )
    assert run.stderr is not None
    with run.stderr:
        assert b"round 1" in run.stderr.readline()
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        run.terminate()
        assert run.wait(20) == 128 + signal.SIGTERM
    assert children
    assert all(gone(int(pid)) for pid in children)


@starts_servers
def test_a_missing_load_generator_is_an_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match="apt-get install wrk"):
        main(["--only", "waitress"])
