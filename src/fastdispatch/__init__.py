"""Flask's request lifecycle as a small compiled engine on Werkzeug."""

from .engine import compiled as compiled

__version__ = "0.1.0"
