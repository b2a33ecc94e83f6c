"""What is current in each ``contextvars.Context``, whoever copies it and whenever.

The compiled build replaces what a context variable holds where that cannot be told from
setting it. Beside it goes a variable that is always set; both have to agree, always.
"""

from __future__ import annotations

import gc
import random
import sys
import sysconfig
import threading
from collections.abc import Callable
from contextvars import Context
from contextvars import ContextVar
from contextvars import copy_context
from contextvars import Token
from typing import Any

import pytest
from werkzeug.test import create_environ
from werkzeug.test import run_wsgi_app

from fastdispatch import App
from fastdispatch import copy_current_request_context
from fastdispatch import request
from fastdispatch.engine import compiled
from fastdispatch.engine import context as contexts

SHADOW: ContextVar[Any] = ContextVar("shadow", default=None)
# So many that they do not all fit into the root of a context's mapping.
OTHERS: list[ContextVar[Any]] = [ContextVar(f"other {i}") for i in range(60)]

app = App("cells", static_folder=None)


@app.route("/<name>")
def view(name: str) -> str:
    deed = request.environ.get("deed")
    if deed is not None:
        deed()
    return name


def ask(name: str, deed: Callable[[], Any] | None = None) -> str:
    environ = create_environ(f"/{name}")
    environ["deed"] = deed
    body, _, _ = run_wsgi_app(app, environ)
    return b"".join(body).decode()


def name_in(context: Context) -> Any:
    """The name that the request has which is current in *context*."""

    def look() -> Any:
        return request.view_args["name"] if request else None  # type: ignore[index]

    return context.run(look)


class World:
    """Contexts, what was pushed in each, and who else has what is in them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.places: list[tuple[Context, list[tuple[Any, Token[Any]]]]] = [
            (Context(), [])
        ]
        self.kept: list[Any] = []
        self.deeds = (
            self.push,
            self.push,
            self.pop,
            self.pop,
            self.copy,
            self.copy_inside,
            self.drop,
            self.set_other,
            self.set_many,
            self.reset_other,
            self.look_through,
            self.let_go,
            self.answer,
            self.answer,
            self.answer_that_copies,
        )

    def step(self) -> None:
        context, pushed = self.random.choice(self.places)
        self.random.choice(self.deeds)(context, pushed)
        for context, _ in self.places:
            context.run(self.check)

    def check(self) -> None:
        assert contexts.current() is SHADOW.get()

    def push(self, context: Context, pushed: list[Any]) -> None:
        if len(pushed) < 4:
            pushed.append(context.run(self._push))

    def _push(self) -> tuple[Any, Token[Any]]:
        ctx = app.app_context()
        ctx.push()
        return ctx, SHADOW.set(ctx)

    def pop(self, context: Context, pushed: list[Any]) -> None:
        if pushed:
            context.run(self._pop, *pushed.pop())

    def _pop(self, ctx: Any, token: Token[Any]) -> None:
        ctx.pop()
        SHADOW.reset(token)

    def copy(self, context: Context, pushed: list[Any]) -> None:
        # What was pushed elsewhere is not popped here.
        if len(self.places) < 8:
            self.places.append((context.copy(), []))

    def copy_inside(self, context: Context, pushed: list[Any]) -> None:
        if len(self.places) < 8:
            self.places.append((context.run(copy_context), []))

    def drop(self, context: Context, pushed: list[Any]) -> None:
        if len(self.places) > 1 and not pushed:
            self.places.remove((context, pushed))

    def set_other(self, context: Context, pushed: list[Any]) -> None:
        context.run(self.random.choice(OTHERS).set, object())

    def set_many(self, context: Context, pushed: list[Any]) -> None:
        for other in self.random.sample(OTHERS, 20):
            context.run(other.set, object())

    def reset_other(self, context: Context, pushed: list[Any]) -> None:
        other = self.random.choice(OTHERS)
        token = context.run(other.set, object())
        if self.random.random() < 0.5:
            context.run(other.reset, token)
        else:
            self.kept.append(token)

    def look_through(self, context: Context, pushed: list[Any]) -> None:
        kinds: tuple[Callable[[Context], Any], ...]
        kinds = (iter, lambda c: list(c.values()), lambda c: c.items(), Context.copy)
        self.kept.append(self.random.choice(kinds)(context))

    def let_go(self, context: Context, pushed: list[Any]) -> None:
        self.random.shuffle(self.kept)
        del self.kept[::2]
        if self.random.random() < 0.05:
            gc.collect()

    def answer(self, context: Context, pushed: list[Any]) -> None:
        name = str(self.random.random())
        assert context.run(ask, name) == name

    def answer_that_copies(self, context: Context, pushed: list[Any]) -> None:
        name = str(self.random.random())
        copies: list[Context] = []

        def deed() -> None:
            copies.append(copy_context())
            if self.random.random() < 0.5:
                self.random.choice(OTHERS).set(object())
                copies.append(copy_context())
            if self.random.random() < 0.3:
                copies[0].run(ask, "within")

        assert context.run(ask, name, deed) == name
        assert context.run(ask, "after") == "after"
        for copied in copies:
            assert name_in(copied) == name
            assert copied.run(ask, "in the copy") == "in the copy"
            assert name_in(copied) == name


@pytest.mark.parametrize("seed", range(40))
def test_what_is_current_is_what_was_pushed_there(seed: int) -> None:
    world = World(seed)
    for _ in range(150):
        world.step()


def test_a_copy_has_the_request_that_it_was_made_in() -> None:
    copies: dict[str, Context] = {}
    names = [str(i) for i in range(20)]
    for name in names:

        def deed(name: str = name) -> None:
            copies[name] = copy_context()

        assert ask(name, deed) == name
    assert {name: name_in(copies[name]) for name in names} == dict(
        zip(names, names, strict=True)
    )


def test_a_copy_made_between_requests_has_none() -> None:
    assert ask("before") == "before"
    copied = copy_context()
    assert ask("first", lambda: None) == "first"
    inside: list[Any] = []
    assert ask("second", lambda: inside.append(name_in(copied))) == "second"
    assert inside == [None]
    assert name_in(copied) is None


def test_a_copy_in_which_a_variable_was_set_keeps_its_request() -> None:
    """It has parts of the mapping, and no longer the mapping itself."""
    copies: list[Context] = []

    def deed() -> None:
        copies.append(copy_context())
        OTHERS[0].set(object())

    def run() -> None:
        for name in ("one", "two"):
            assert ask(name, deed) == name
            # A variable set here as well: what is here has parts of it, too.
            OTHERS[1].set(object())
        assert ask("three") == "three"

    Context().run(run)
    assert [name_in(copied) for copied in copies] == ["one", "two"]


def test_threads_have_their_own() -> None:
    wrong: list[Any] = []
    barrier = threading.Barrier(4)

    def work(me: int) -> None:
        barrier.wait()
        for i in range(300):
            name = f"{me}-{i}"
            copies: list[Context] = []
            if ask(name, lambda: copies.append(copy_context())) != name:  # noqa: B023
                wrong.append(name)
            if ask("other") != "other" or name_in(copies[0]) != name:
                wrong.append(copies)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_work_that_outlives_its_request_in_a_thread() -> None:
    go = threading.Event()
    seen: list[Any] = []
    threads: list[threading.Thread] = []

    def later() -> None:
        assert go.wait(10)
        seen.append((request.view_args or {})["name"])

    def deed() -> None:
        func = copy_current_request_context(later)
        threads.append(threading.Thread(target=func))
        threads.append(threading.Thread(target=copy_context().run, args=(later,)))

    for name in ("one", "two"):
        ask(name, deed)
    for thread in threads:
        thread.start()
    ask("three", go.set)
    for thread in threads:
        thread.join()
    assert sorted(seen) == ["one", "one", "two", "two"]


def test_popped_in_a_copy_it_uncovers_what_was_there_before() -> None:
    outer = app.app_context()
    inner = app.app_context()

    def pop_elsewhere() -> Any:
        inner.pop()
        return contexts.current()

    def run() -> None:
        outer.push()
        inner.push()
        assert copy_context().run(pop_elsewhere) is outer
        assert contexts.current() is inner

    Context().run(run)
    assert contexts.current() is None


def test_greenlets_have_their_own() -> None:
    greenlets = pytest.importorskip("greenlet")
    greenlet = greenlets.greenlet
    main = greenlets.getcurrent()
    seen: list[Any] = []

    def work(name: str) -> None:
        for i in range(50):
            mine = f"{name}{i}"
            assert ask(mine, main.switch) == mine
            seen.append(name)

    workers = [greenlet(work) for _ in range(3)]
    for worker, name in zip(workers, "abc", strict=True):
        worker.switch(name)
    while any(workers):
        for worker in workers:
            if worker:
                worker.switch()
    assert sorted(seen) == sorted("abc" * 50)


def variable() -> tuple[ContextVar[Any], Any]:
    """What any program finds in its context: the variable, and what it holds."""
    [found] = [
        (var, value)
        for var, value in copy_context().items()
        if var.name == "fastdispatch.context"
    ]
    return found


@pytest.mark.skipif(
    not compiled
    or sys.version_info >= (3, 16)
    or bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    reason="the variable is set for each request",
)
def test_the_list_stays_from_request_to_request() -> None:
    """A list in another's place would be elsewhere: it is made before that one goes."""

    def run() -> None:
        ask("first")
        place = id(variable()[1])
        ask("second")
        assert id(variable()[1]) == place
        kept = copy_context()
        ask("third")
        assert id(variable()[1]) != place
        del kept

    Context().run(run)


@pytest.mark.parametrize("value", [None, 7, "set", (), []])
def test_what_a_program_sets_it_to_stands_for_itself(value: Any) -> None:
    def run() -> None:
        ctx = app.app_context()
        ctx.push()
        var, before = variable()
        var.set(value)
        assert (contexts.current() or None) is (value or None)
        var.set(ctx)
        assert contexts.current() is ctx
        var.set(before)
        ctx.pop()
        assert contexts.current() is None

    Context().run(run)


def test_a_list_that_a_program_has_emptied() -> None:
    def run() -> None:
        ctx = app.app_context()
        ctx.push()
        var, held = variable()
        contents = held if compiled else [held]
        # Empty while it is sorted, too.
        contents.sort(key=lambda _: contexts.current() is None)
        assert contexts.current() is ctx
        contents.clear()
        assert contexts.current() is (None if compiled else ctx)
        assert ask("after") == "after"
        var.set(ctx)
        ctx.pop()
        assert contexts.current() is None

    Context().run(run)
