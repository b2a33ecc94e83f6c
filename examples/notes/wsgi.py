"""The WSGI callable for servers: ``notes.wsgi:app``."""

from . import create_app

app = create_app()
