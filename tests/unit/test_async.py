"""async_to_sync: coroutine functions run to their end under WSGI. Rules 18, 46."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import traceback
import weakref
from collections.abc import AsyncIterator
from collections.abc import Callable
from contextvars import ContextVar
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import fastdispatch
from fastdispatch._async import async_to_sync

var: ContextVar[str] = ContextVar("var")


def run_python(code: str, *options: str) -> str:
    """Standard output of *code* in a fresh interpreter that is strict about warnings.

    Whatever it writes to standard error fails the test.
    """
    env = os.environ | {"PYTHONPATH": str(Path(fastdispatch.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-W", "error", *options, "-"],
        input=textwrap.dedent(code),
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def in_plain_thread(call: Callable[[], Any]) -> Any:
    """Where WSGI servers call: a thread without a running loop."""
    return call()


def in_running_loop(call: Callable[[], Any]) -> Any:
    """A notebook, or an async test that calls the application."""

    async def main() -> Any:
        return call()

    return asyncio.run(main())


everywhere = pytest.mark.parametrize("where", [in_plain_thread, in_running_loop])


class Mine(Exception):
    pass


class MineBase(BaseException):
    pass


# What is called


async def add(a: int, b: int = 1) -> int:
    """Add."""
    await asyncio.sleep(0)
    return a + b


class Adder:
    async def add(self, a: int, b: int = 1) -> int:
        return await add(a, b)


@everywhere
def test_functions_methods_and_partials(where: Any) -> None:
    assert where(lambda: async_to_sync(add)(2, b=3)) == 5
    assert where(lambda: async_to_sync(Adder().add)(2)) == 3
    assert where(lambda: async_to_sync(functools.partial(add, b=40))(2)) == 42


@pytest.mark.skipif(sys.version_info < (3, 12), reason="no markcoroutinefunction")
def test_a_callable_marked_as_coroutine_function() -> None:
    def marked(a: int) -> Any:
        return add(a)

    inspect.markcoroutinefunction(marked)
    assert inspect.iscoroutinefunction(marked)
    wrapped = async_to_sync(marked)
    assert wrapped(1) == 2
    assert not inspect.iscoroutinefunction(wrapped)


def test_the_wrapper_looks_like_the_function() -> None:
    wrapped = async_to_sync(add)
    assert wrapped.__name__ == "add"
    assert wrapped.__doc__ == "Add."
    assert wrapped.__wrapped__ is add  # type: ignore[attr-defined]
    assert not inspect.iscoroutinefunction(wrapped)
    assert list(inspect.signature(wrapped).parameters) == ["a", "b"]


# Context variables


@everywhere
def test_context_variables_go_in_and_come_out(where: Any) -> None:
    seen = []

    async def view() -> None:
        seen.append(var.get())
        await asyncio.sleep(0)
        var.set("changed")

    def call() -> None:
        var.set("outer")
        async_to_sync(view)()
        seen.append(var.get())

    where(call)
    assert seen == ["outer", "changed"]


@everywhere
def test_context_variables_come_out_of_a_call_that_raises(where: Any) -> None:
    async def view() -> None:
        var.set("changed")
        raise Mine

    def call() -> str:
        with pytest.raises(Mine):
            async_to_sync(view)()
        return var.get()

    assert where(call) == "changed"


def test_a_task_s_changes_stay_its_own() -> None:
    async def change() -> None:
        var.set("task")

    async def view() -> None:
        var.set("view")
        await asyncio.create_task(change())

    async_to_sync(view)()
    assert var.get() == "view"


# Errors


@everywhere
@pytest.mark.parametrize(
    "error",
    [
        Mine("x"),
        MineBase("x"),
        SystemExit(3),
        KeyboardInterrupt(),
        asyncio.CancelledError("x"),
        GeneratorExit(),
        StopAsyncIteration(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_come_out_unchanged_with_their_traceback(
    where: Any, error: BaseException
) -> None:
    error.__traceback__ = None

    async def a_view_that_raises() -> None:
        await asyncio.sleep(0)
        raise error

    def call() -> BaseException:
        with pytest.raises(type(error)) as caught:
            async_to_sync(a_view_that_raises)()
        return caught.value

    got = where(call)
    assert got is error
    frames = [frame.name for frame in traceback.extract_tb(got.__traceback__)]
    assert frames[-1] == "a_view_that_raises"
    assert where(lambda: async_to_sync(add)(1)) == 2


@everywhere
def test_the_error_being_handled_is_seen_inside(where: Any) -> None:
    async def handler() -> BaseException | None:
        await asyncio.sleep(0)
        return sys.exc_info()[1]

    def call() -> None:
        try:
            raise Mine
        except Mine as e:
            before = e.__traceback__
            assert async_to_sync(handler)() is e
            assert e.__traceback__ is before
        assert async_to_sync(handler)() is None

    where(call)


@everywhere
def test_a_task_that_exits_ends_the_call_and_nothing_else(where: Any) -> None:
    ended = []

    async def leave() -> None:
        raise SystemExit(4)

    async def view() -> None:
        task = asyncio.create_task(leave())
        try:
            await asyncio.sleep(30)
        finally:
            ended.append(task.done())

    def call() -> int:
        with pytest.raises(SystemExit) as caught:
            async_to_sync(view)()
        assert caught.value.code == 4
        return async_to_sync(add)(1)

    assert where(call) == 2
    assert ended == [True]


def in_bare_loop(call: Callable[[], Any]) -> Any:
    """As in_running_loop, but without the SIGINT handler of asyncio.run."""

    async def main() -> Any:
        return call()

    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(main())
    finally:
        loop.close()


@pytest.mark.parametrize("where", [in_plain_thread, in_bare_loop])
def test_ctrl_c_cancels_the_view_and_comes_out(where: Any) -> None:
    ended = []

    async def view() -> None:
        asyncio.get_running_loop().call_later(
            0.05, lambda: os.kill(os.getpid(), signal.SIGINT)
        )
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            where(lambda: async_to_sync(view)())
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended == ["cancelled"]
    assert async_to_sync(add)(1) == 2


# What a call leaves behind


@everywhere
def test_tasks_left_behind_are_cancelled_before_the_call_returns(where: Any) -> None:
    ended = []

    async def background() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            await asyncio.sleep(0)
            ended.append("background")

    async def view() -> asyncio.Task[None]:
        task = asyncio.create_task(background())
        await asyncio.sleep(0)
        return task

    task = where(lambda: async_to_sync(view)())
    assert ended == ["background"]
    assert task.cancelled()


def test_a_task_that_fails_while_it_is_cancelled_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def background() -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            raise Mine("in the background") from None

    async def view() -> None:
        asyncio.create_task(background())  # noqa: RUF006
        await asyncio.sleep(0)

    with caplog.at_level(logging.ERROR, "asyncio"):
        async_to_sync(view)()
    assert "in the background" in caplog.text


def test_tasks_started_while_tasks_are_cancelled_are_cancelled_too() -> None:
    ended = []

    async def second() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            ended.append("second")

    async def first() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            task = asyncio.create_task(second())
            await asyncio.sleep(0)
            ended.append(task.done())

    async def view() -> None:
        asyncio.create_task(first())  # noqa: RUF006
        await asyncio.sleep(0)

    async_to_sync(view)()
    assert ended == [False, "second"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="no eager tasks")
def test_a_task_factory_that_a_view_installs_is_its_own() -> None:
    ended = []

    async def background() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            ended.append(True)

    async def eager() -> None:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        asyncio.create_task(background())  # noqa: RUF006

    async def factory() -> Any:
        return asyncio.get_running_loop().get_task_factory()

    before = async_to_sync(factory)()
    async_to_sync(eager)()
    assert ended == [True]
    assert async_to_sync(factory)() == before


@everywhere
@pytest.mark.parametrize("keep", [True, False], ids=["kept", "dropped"])
def test_unfinished_async_generators_are_closed(where: Any, keep: bool) -> None:
    ended = []
    kept = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            ended.append(var.get(None))

    async def view() -> None:
        generator = numbers()
        if keep:
            kept.append(generator)
        async for _ in generator:
            break

    where(lambda: async_to_sync(view)())
    assert len(ended) == 1


def test_a_generator_that_fails_to_close_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            raise Mine("while closing")

    async def view() -> None:
        kept.append(numbers())
        async for _ in kept[0]:
            break

    with caplog.at_level(logging.ERROR, "asyncio"):
        async_to_sync(view)()
    assert "while closing" in caplog.text


def test_work_in_threads() -> None:
    async def view() -> tuple[str, bool]:
        info = await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80)
        other = await asyncio.to_thread(threading.get_ident)
        return info[0][4][0], other != threading.get_ident()

    assert async_to_sync(view)() == ("127.0.0.1", True)


# Where it runs


def test_a_thread_keeps_its_loop() -> None:
    async def view() -> Any:
        return asyncio.get_running_loop()

    call = async_to_sync(view)
    assert call() is call()
    others: list[Any] = []
    thread = threading.Thread(target=lambda: others.append(call()))
    thread.start()
    thread.join()
    assert others[0] is not call()


def test_the_thread_s_own_event_loop_is_left_alone() -> None:
    policy = asyncio.get_event_loop_policy if sys.version_info < (3, 14) else None
    mine = asyncio.new_event_loop()
    asyncio.set_event_loop(mine)
    try:
        async_to_sync(add)(1)
        if policy is not None:
            assert policy().get_event_loop() is mine
        else:
            assert asyncio.get_event_loop() is mine
    finally:
        asyncio.set_event_loop(None)
        mine.close()


def test_calls_nest() -> None:
    depths = []

    async def view(depth: int) -> str:
        await asyncio.sleep(0)
        depths.append((depth, var.get()))
        if depth:
            var.set(f"set at {depth}")
            async_to_sync(view)(depth - 1)
        else:
            var.set("set innermost")
        await asyncio.sleep(0)
        return var.get()

    var.set("outer")
    assert async_to_sync(view)(3) == "set innermost"
    assert depths == [(3, "outer"), (2, "set at 3"), (1, "set at 2"), (0, "set at 1")]
    assert var.get() == "set innermost"


def test_threads_run_side_by_side() -> None:
    both = threading.Barrier(2, timeout=10)

    async def view() -> str:
        await asyncio.to_thread(both.wait)
        return "met"

    results: list[str] = []
    threads = [
        threading.Thread(target=lambda: results.append(async_to_sync(view)()))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["met", "met"]


def open_files() -> int | None:
    try:
        return len(os.listdir("/proc/self/fd"))
    except FileNotFoundError:
        return None


def test_loops_end_with_their_threads() -> None:
    loops: list[weakref.ref[Any]] = []

    async def view() -> None:
        loops.append(weakref.ref(asyncio.get_running_loop()))

    def run() -> None:
        async_to_sync(view)()

    before = open_files()
    for _ in range(300):
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    assert open_files() == before
    gc.collect()
    assert [ref for ref in loops if ref() is not None] == []


def test_no_memory_is_kept_for_a_call() -> None:
    async def view(fail: bool) -> None:
        await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))
        if fail:
            raise Mine

    def once() -> None:
        call(False)
        with pytest.raises(Mine):
            call(True)

    call = async_to_sync(view)
    for _ in range(50):
        once()
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(500):
        once()
    gc.collect()
    assert len(gc.get_objects()) - before < 100


def test_a_program_ends_quietly() -> None:
    out = run_python(
        """
        import asyncio, threading
        from fastdispatch._async import async_to_sync

        async def view(seconds):
            await asyncio.sleep(seconds)

        async def in_thread():
            await asyncio.to_thread(str)

        call = async_to_sync(view)
        async_to_sync(in_thread)()
        threading.Thread(target=call, args=(0.1,)).start()
        threading.Thread(target=call, args=(1000,), daemon=True).start()
        print("done")
        """
    )
    assert out == "done\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_has_its_own_loop() -> None:
    out = run_python(
        """
        import asyncio, os
        from fastdispatch._async import async_to_sync

        async def view():
            await asyncio.to_thread(str)
            await asyncio.sleep(0.01)
            return os.getpid()

        call = async_to_sync(view)
        assert call() == os.getpid()
        for _ in range(3):
            child = os.fork()
            if not child:
                assert call() == os.getpid()
                raise SystemExit(7)
            assert call() == os.getpid()
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
            assert call() == os.getpid()
        print("done")
        """,
        "-W",
        "ignore:This process:DeprecationWarning",  # to_thread's threads, and fork
    )
    assert out == "done\n"


# Greenlets


def needs(library: str) -> None:
    """Skip where *library* is not there, which is not to be imported here."""
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")


def test_greenlets_of_one_thread_that_switch_inside_their_views() -> None:
    needs("greenlet")
    out = run_python(
        """
        import asyncio
        from contextvars import ContextVar
        from greenlet import greenlet
        from fastdispatch._async import async_to_sync

        var = ContextVar("var")
        order = []

        async def view(switch):
            order.append(var.get())
            if switch is not None:
                switch()
            await asyncio.sleep(0)
            order.append(var.get())
            var.set(var.get() + " changed")

        def run(name, switch=None):
            var.set(name)
            async_to_sync(view)(switch)
            order.append(var.get())

        one = greenlet(run)
        two = greenlet(run)
        one.switch("one", lambda: two.switch("two"))
        assert two.dead and not one.dead
        one.switch()
        assert one.dead
        print(", ".join(order))
        """
    )
    assert out == "one, two, two, two changed, one, one changed\n"


GEVENT = """
from gevent import monkey
if {patch}:
    monkey.patch_all()
import asyncio, gevent, os, sys, threading, time
from contextvars import ContextVar
from fastdispatch._async import async_to_sync

var = ContextVar("var")
"""


def run_gevent(patch: bool, code: str) -> str:
    """Run *code* after GEVENT, where the standard library is patched or not."""
    needs("gevent")
    return run_python(GEVENT.format(patch=patch) + textwrap.dedent(code))


patched = pytest.mark.parametrize("patch", [False, True], ids=["plain", "patched"])


@patched
def test_gevent_greenlets_have_views_open_at_the_same_time(patch: bool) -> None:
    out = run_gevent(
        patch,
        """
        COUNT = 60
        inside = 0

        async def view(n):
            # No one goes on before the last one has come: all are in their views.
            global inside
            inside += 1
            while inside < COUNT:
                await asyncio.sleep(0.005)
            assert var.get() == n
            await asyncio.sleep(0.005)
            assert var.get() == n
            var.set(-n)
            return n

        def request(n):
            var.set(n)
            assert async_to_sync(view)(n) == n
            assert var.get() == -n
            return n

        greenlets = [gevent.spawn(request, n) for n in range(COUNT)]
        gevent.joinall(greenlets, timeout=30, raise_error=True)
        assert [g.value for g in greenlets] == list(range(COUNT))
        print(inside)
        """,
    )
    assert out == "60\n"


@patched
def test_gevent_errors_nesting_and_threads(patch: bool) -> None:
    out = run_gevent(
        patch,
        """
        async def add(n):
            await asyncio.sleep(0)
            return n + 1

        async def nested(n):
            return async_to_sync(add)(n) + async_to_sync(add)(n)

        async def fail(error):
            await asyncio.sleep(0)
            raise error

        async def work():
            loop = asyncio.get_running_loop()
            await asyncio.wait_for(loop.getaddrinfo("127.0.0.1", 80), 20)
            return await asyncio.wait_for(asyncio.to_thread(add.__name__.upper), 20)

        def main():
            assert async_to_sync(nested)(1) == 4
            for error in ValueError("x"), SystemExit(3), gevent.GreenletExit():
                try:
                    async_to_sync(fail)(error)
                except BaseException as e:
                    assert e is error
                else:
                    raise AssertionError
            print(async_to_sync(work)())

        main()
        gevent.spawn(main).get(timeout=30)
        """,
    )
    assert out == "ADD\nADD\n"


@patched
def test_gevent_kills_and_timeouts_cancel_the_view(patch: bool) -> None:
    out = run_gevent(
        patch,
        """
        log = []

        async def view():
            log.append("in")
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(0)
                log.append("out")

        victim = gevent.spawn(async_to_sync(view))
        while not log:
            gevent.sleep(0.01)
        victim.kill(timeout=20)
        assert victim.dead and log == ["in", "out"], log
        try:
            with gevent.Timeout(0.2):
                async_to_sync(view)()
        except gevent.Timeout:
            log.append("timeout")
        print(log)
        """,
    )
    assert out == "['in', 'out', 'in', 'out', 'timeout']\n"


@patched
def test_gevent_calls_keep_no_threads_and_files(patch: bool) -> None:
    out = run_gevent(
        patch,
        """
        async def view():
            await asyncio.sleep(0)

        def state():
            return len(threading._active) + len(os.listdir("/dev/fd"))

        call = async_to_sync(view)
        for _ in range(20):
            gevent.spawn(call).get()
        before = state()
        for _ in range(100):
            gevent.spawn(call).get()
        # A thread may be added where the last one is not back in the pool yet.
        print(state() - before < 30)
        """,
    )
    assert out == "True\n"
