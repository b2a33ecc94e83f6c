"""``python -m bench.micro``: run the micro benchmarks, keep the quickest times as JSON.

What is kept: test → case → build → nanoseconds, the quickest round's mean; ``python``
stands for the build where none takes part.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def reduced(raw: str) -> dict[str, dict[str, dict[str, float]]]:
    """What pytest-benchmark wrote, without what it tells of the machine."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for entry in json.loads(raw)["benchmarks"]:
        name = entry["name"].partition("[")[0].removeprefix("test_").replace("_", " ")
        cases = found.setdefault(name, {})
        times = cases.setdefault(str(entry["params"]["case"]), {})
        build = entry["params"].get("fd", "python")
        times[build] = float(f"{entry['stats']['min'] * 1e9:.4g}")
    return found


def main(argv: list[str] | None = None) -> int:
    """Run from the command line; pytest's exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.micro", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the quickest times there")
    args, more = parser.parse_known_args(argv)
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "raw.json"
        options = [
            str(HERE),
            "-q",
            f"--benchmark-json={target}",
            "--benchmark-group-by=func,param:case",
            "--benchmark-columns=min,median",
            "--benchmark-sort=name",
            "--benchmark-max-time=0.2",
            "--benchmark-min-time=0.0001",
        ]
        status = pytest.main([*options, *more])
        if status == 0 and args.json:
            found = reduced(target.read_text(encoding="utf-8"))
            args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
