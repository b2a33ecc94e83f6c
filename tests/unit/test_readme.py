"""The README's program runs as it is written."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def test_first_program_of_the_readme() -> None:
    program = re.search(r"```python\n(.+?)```", README.read_text("utf-8"), re.DOTALL)
    assert program
    names: dict[str, t.Any] = {"__name__": "hello"}
    exec(compile(program[1], "README.md", "exec"), names)
    client = names["app"].test_client()
    assert client.get("/hello/Ann").json == {"hello": "Ann", "visits": 1, "loud": False}
    again = client.get("/hello/Bob?loud=yes").json
    assert again == {"hello": "Bob", "visits": 2, "loud": True}
