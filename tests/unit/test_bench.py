"""The benchmark compares like with like, and refuses a candidate that does less."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from bench.__main__ import main
from bench.__main__ import rows
from bench.asgi import ASGI
from bench.candidates import CANDIDATES
from bench.candidates import load
from bench.candidates import NotInstalled
from bench.workloads import CHUNKS
from bench.workloads import hits
from bench.workloads import Refused
from bench.workloads import TEXT
from bench.workloads import Unsupported
from bench.workloads import WORKLOADS

import fastdispatch

OURS = ["fastdispatch", "accelerated"] + ["fastdispatch-pure"] * fastdispatch.compiled


@pytest.mark.parametrize("candidate", ["raw", "flask", *OURS])
@pytest.mark.parametrize("name", WORKLOADS)
def test_the_answer_is_the_workload_s(name: str, candidate: str) -> None:
    WORKLOADS[name].prepare(load(candidate, name))


PEERS = [n for n, c in CANDIDATES.items() if not c.ours and n not in {"raw", "flask"}]
UNSUPPORTED = {
    ("wheezy", "W12"),
    ("falcon", "W7"),
    ("bottle", "W9"),
    ("werkzeug", "W7"),
}


# What another package's import warns of is that package's affair.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("candidate", PEERS)
@pytest.mark.parametrize("name", WORKLOADS)
def test_so_are_the_peers_(name: str, candidate: str) -> None:
    try:
        app = load(candidate, name)
    except NotInstalled as e:
        pytest.skip(str(e))
    except Unsupported as e:
        assert str(e)
        assert (candidate, name) in UNSUPPORTED
    else:
        assert (candidate, name) not in UNSUPPORTED
        assert isinstance(app, ASGI) == CANDIDATES[candidate].asgi
        WORKLOADS[name].prepare(app)


def app_that(
    body: bytes = b"Hello, World!",
    status: str = "200 OK",
    content_type: str = "text/html; charset=utf-8",
    length: str | None = "13",
    hooks: int = 0,
) -> Any:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        for n in range(hooks):
            hits[n] += 1
        headers = [("Content-Type", content_type)]
        if length is not None:
            headers.append(("Content-Length", length))
        start_response(status, headers)
        return [body]

    return app


def test_the_fake_that_does_all_is_accepted() -> None:
    WORKLOADS["W1"].prepare(app_that())
    WORKLOADS["W3"].prepare(app_that(hooks=9))


@pytest.mark.parametrize(
    ("name", "app", "what"),
    [
        ("W1", app_that(status="201 CREATED"), "status"),
        ("W1", app_that(body=b"Hello, World?"), "body"),
        ("W1", app_that(content_type="text/plain"), "content type"),
        ("W1", app_that(length=None), "length"),
        ("W3", app_that(hooks=8), "hooks"),
        ("W7", app_that(), "count"),
        ("W12", app_that(b"".join(CHUNKS), content_type=TEXT), "parts"),
    ],
)
def test_a_candidate_that_does_less_is_refused(name: str, app: Any, what: str) -> None:
    with pytest.raises(Refused, match=what):
        WORKLOADS[name].prepare(app)


def test_a_session_that_is_not_signed_is_refused() -> None:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        n = environ.get("HTTP_COOKIE", "n=0.").partition("=")[2]
        body = b"%d" % (int(n.rstrip(".")) + 1)
        cookie = f"n={body.decode()}.; Path=/"
        html = "text/html; charset=utf-8"
        length = str(len(body))
        start_response(
            "200 OK",
            [
                ("Content-Type", html),
                ("Content-Length", length),
                ("Set-Cookie", cookie),
            ],
        )
        return [body]

    WORKLOADS["W7"].check(app, WORKLOADS["W7"].environ() | {"HTTP_COOKIE": "n=1."})
    with pytest.raises(Refused, match="forged"):
        WORKLOADS["W7"].prepare(app)


def test_ratios_are_taken_within_a_round() -> None:
    # The machine is twice as slow in the second round, for everybody.
    table = rows({"raw": [1.0, 2.0], "flask": [10.0, 20.0], "fastdispatch": [2.0, 4.0]})
    by_name = {row["candidate"]: row for row in table}
    assert list(by_name) == ["raw", "fastdispatch", "flask"]
    assert by_name["fastdispatch"]["by_raw"] == 2.0
    assert by_name["fastdispatch"]["by_best_peer"] == 0.2
    assert by_name["fastdispatch"]["flask_by"] == 5.0


def test_a_run_writes_its_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "report.json"
    arguments = ["--only", "W1", "--peers", "raw,flask", "--json", str(target)]
    assert main(arguments) == 0
    report = json.loads(target.read_text())
    build = "compiled" if fastdispatch.compiled else "pure"
    assert report["versions"]["fastdispatch build"] == build
    (entry,) = report["workloads"]
    assert entry["out"] == {}
    assert {row["candidate"] for row in entry["rows"]} == {
        "raw",
        "flask",
        "fastdispatch",
        "fastdispatch-pure",
        "accelerated",
    }
    assert f"fastdispatch build: {build}" in capsys.readouterr().out


def test_an_unknown_name_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(SystemExit, match="W99.*W1, W2"):
        main(["--only", "W99"])
    with pytest.raises(SystemExit, match="rails.*raw"):
        main(["--peers", "rails"])
    assert "raw" in CANDIDATES
