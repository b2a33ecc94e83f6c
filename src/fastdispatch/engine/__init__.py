"""The hot path: which build of it runs."""
