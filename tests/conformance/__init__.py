"""Every rule a Flask-compatible dispatcher keeps, by number, on every subject."""
