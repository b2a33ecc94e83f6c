"""Accelerated Flask is Flask, and calls whatever others have put in Flask's place."""
