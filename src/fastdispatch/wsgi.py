"""An accelerated Flask program without touching its code.

``FASTDISPATCH_APP=module:app granian --interface wsgi fastdispatch.wsgi:app`` serves
the Flask application ``app`` of ``module`` on the engine; ``module:create_app()`` calls
a factory.
"""

from __future__ import annotations

import os
from typing import Any

from ._accelerate import accelerate
from ._load import load


def _app() -> Any:
    name = os.environ.get("FASTDISPATCH_APP")
    if not name:
        raise RuntimeError(
            "Set FASTDISPATCH_APP to the Flask application to serve: 'module:app' or"
            " 'module:create_app()'."
        )
    return accelerate(load(name))


app: Any = _app()
