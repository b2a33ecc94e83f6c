"""``python -m notes``: Werkzeug's development server, on 127.0.0.1:5000."""

from . import create_app

create_app().run()
