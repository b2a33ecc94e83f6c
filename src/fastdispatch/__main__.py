"""``python -m fastdispatch``: which fastdispatch runs here, for a bug report."""

from __future__ import annotations

from . import _build

for label, value in _build.report():
    print(f"{label:<13} {value}")
