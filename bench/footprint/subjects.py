"""The frameworks and their hello worlds, as source: nothing else is imported then."""

from __future__ import annotations

FLASK_LIKE = """
@app.route("/")
def hello():
    return "Hello, World!"
"""

#: Subject: what is imported, then the program that makes ``app``.
SUBJECTS = {
    "werkzeug": (
        "werkzeug",
        """
from werkzeug.wrappers import Request, Response
@Request.application
def app(request):
    return Response("Hello, World!", content_type="text/html; charset=utf-8")
""",
    ),
    "fastdispatch": (
        "fastdispatch",
        f"app = fastdispatch.App('hello', static_folder=None)\n{FLASK_LIKE}",
    ),
    "accelerated": (
        "fastdispatch, flask",
        f"app = flask.Flask('hello', static_folder=None)\n{FLASK_LIKE}"
        "fastdispatch.accelerate(app)",
    ),
    "falcon": (
        "falcon",
        """
class Hello:
    def on_get(self, request, response):
        response.content_type = "text/html; charset=utf-8"
        response.text = "Hello, World!"
app = falcon.App()
app.add_route("/", Hello())
""",
    ),
    "bottle": ("bottle", f"app = bottle.Bottle()\n{FLASK_LIKE}"),
    "flask": (
        "flask",
        f"app = flask.Flask('hello', static_folder=None)\n{FLASK_LIKE}",
    ),
}

#: What fastdispatch needs of others, as a subject of imports alone.
NEEDS = "needs"
NEEDED = "werkzeug, werkzeug.routing"

IMPORT = """
from time import perf_counter as clock
start = clock()
import {modules}
print(clock() - start)
"""

# What all need first, so that what it brings along counts for it with everybody.
TREE = "import werkzeug, werkzeug.routing, {modules}"

MEMORY = """
def resident():
    with open("/proc/self/smaps_rollup") as file:
        lines = [line.split() for line in file.readlines()[1:]]
    return {{line[0]: int(line[1]) * 1024 for line in lines}}
found = [resident()]
import {modules}
found.append(resident())
{program}
found.append(resident())
import json
print(json.dumps([[state["Rss:"], state["Pss:"]] for state in found]))
"""

REQUESTS = """
import gc, json, sys, tracemalloc
import {modules}
{program}
from bench.workloads import WORKLOADS
environ = WORKLOADS["W1"].prepare(app)
def start_response(status, headers, exc_info=None):
    pass
def ask(request):
    answer = app(request, start_response)
    for part in answer:
        pass
    if hasattr(answer, "close"):
        answer.close()
def blocks():
    for _ in range(3):
        gc.collect()
    return sys.getallocatedblocks()
for _ in range(1000):
    ask(environ.copy())
before = blocks()
for _ in range({count}):
    ask(environ.copy())
more = blocks() - before
gc.disable()
tracemalloc.start()
peaks = []
for _ in range(100):
    request = environ.copy()
    tracemalloc.reset_peak()
    start = tracemalloc.get_traced_memory()[0]
    ask(request)
    peaks.append(tracemalloc.get_traced_memory()[1] - start)
    request = None
print(json.dumps({{"peak": sorted(peaks)[50], "blocks": more, "requests": {count}}}))
"""
