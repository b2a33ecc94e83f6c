"""``bench.servers.program:app``: the program that a server is told to serve.

The environment names the candidate: ``BENCH_CANDIDATE``.
"""

from __future__ import annotations

import os

from ..candidates import load
from . import WORKLOAD

app = load(os.environ["BENCH_CANDIDATE"], WORKLOAD)
