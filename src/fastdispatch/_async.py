"""Run ``async def`` views, hooks and handlers under WSGI, on the standard library.

Three places to run a coroutine function, each with an event loop of its own:

* the calling thread, on an `asyncio.Runner` kept for it, which is the usual case;
* a thread made for the call, where the calling thread's loop is already running (a
  notebook, an async test, a view that calls back into synchronous code);
* the same under gevent, waiting cooperatively: asyncio knows one running loop per OS
  thread, and greenlets that share the thread would trip over it.

Wherever it runs, a call ends as `asyncio.run` ends: tasks it left behind are cancelled,
asynchronous generators are closed. Only the loop, and its default executor, live on.
"""

from __future__ import annotations

import asyncio
import functools
import os
import sys
import threading
import weakref
from asyncio import events
from collections.abc import AsyncGenerator
from collections.abc import Callable
from collections.abc import Coroutine
from contextvars import Context
from contextvars import copy_context
from importlib import import_module
from typing import Any
from typing import ParamSpec
from typing import TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_MISSING = object()
_MAX_THREADS = 10_000


def async_to_sync(func: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, R]:
    """Make a synchronous callable of a coroutine function. Rule 46.

    The coroutine sees the caller's context variables, and the caller sees those it
    changed. Whatever it raises comes out as it is. The callable blocks its thread
    (under gevent: its greenlet) until the coroutine and all that it started are done.

    *func* is anything `inspect.iscoroutinefunction` accepts: function, bound method,
    `functools.partial`, or a callable that is marked as one.
    """

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        context = copy_context()
        try:
            result: R
            if (hub := _gevent_hub()) is not None:
                result = _Elsewhere(context, func, args, kwargs).run_under(hub)
            elif events._get_running_loop() is not None:
                result = _Elsewhere(context, func, args, kwargs).run()
            else:
                result = _thread_loop().run(context, func, args, kwargs)
            return result
        finally:
            for var, value in context.items():
                if var.get(_MISSING) is not value:
                    var.set(value)

    functools.update_wrapper(run, func)
    # A marked callable's marks are copied with its __dict__; they no longer hold.
    run.__dict__.pop("_is_coroutine_marker", None)
    run.__dict__.pop("_is_coroutine", None)
    return run


class _Work:
    """What the running call may leave behind in its loop: tasks, generators."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.thread = threading.get_ident()
        self.tasks: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        self.generators: weakref.WeakSet[AsyncGenerator[Any, Any]] = weakref.WeakSet()
        self.closing: set[asyncio.Task[None]] = set()
        self.collected = False
        self.settled = True
        self.exit: BaseException | None = None
        loop.set_task_factory(self.make_task)

    def make_task(
        self, loop: asyncio.AbstractEventLoop, coro: Any, **kwargs: Any
    ) -> asyncio.Task[Any]:
        """The loop's task factory: asyncio's tasks, remembered."""
        task = asyncio.Task(coro, loop=loop, **kwargs)
        self.tasks.add(task)
        return task

    def generator_started(self, generator: AsyncGenerator[Any, Any]) -> None:
        """The ``firstiter`` hook of PEP 525."""
        self.generators.add(generator)

    def generator_collected(self, generator: AsyncGenerator[Any, Any]) -> None:
        """The ``finalizer`` hook of PEP 525; may be called in any thread."""
        self.generators.discard(generator)
        if not self.loop.is_closed():
            self.collected = True
            self.loop.call_soon_threadsafe(self.close_generator, generator)

    def close_generator(self, generator: AsyncGenerator[Any, Any]) -> None:
        """Close a collected generator in a task that is not cancelled, but awaited."""
        task = self.loop.create_task(_close(generator))
        self.tasks.discard(task)
        self.closing.add(task)
        task.add_done_callback(self.closing.discard)

    async def main(self, func: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Await ``func(*args, **kwargs)``, then put the loop in order."""
        sys.set_asyncgen_hooks(self.generator_started, self.generator_collected)
        self.settled = False
        try:
            return await func(*args, **kwargs)
        except (SystemExit, KeyboardInterrupt) as e:
            # A task that ends with one of these tears run_forever down with it.
            self.exit = e
        finally:
            if (
                len(self.tasks) > 1
                or self.generators
                or self.collected
                or self.loop.get_task_factory() != self.make_task
            ):
                await self.settle()
            self.settled = True

    async def settle(self) -> None:
        """Cancel the tasks and close the generators that are left, as `asyncio.run`."""
        if self.collected:
            self.collected = False
            await asyncio.sleep(0)
        if self.loop.get_task_factory() != self.make_task:  # the call's own, eager say
            self.loop.set_task_factory(self.make_task)
            self.tasks.update(asyncio.all_tasks(self.loop))
        this = asyncio.current_task()
        while left := [t for t in self.tasks if t is not this and not t.done()]:
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            for task in left:
                if not task.cancelled() and (error := task.exception()) is not None:
                    self.report("task", task, error)
        for generator in list(self.generators):
            self.close_generator(generator)
        self.generators.clear()
        while self.closing:
            closing = list(self.closing)
            for error in await asyncio.gather(*closing, return_exceptions=True):
                if isinstance(error, BaseException):
                    self.report("asynchronous generator", None, error)
            self.closing.difference_update(closing)

    def report(self, what: str, task: Any, error: BaseException) -> None:
        """Tell the loop's exception handler, which logs it."""
        self.loop.call_exception_handler(
            {
                "message": f"unhandled exception in a {what} left by an async function",
                "exception": error,
                "task": task,
            }
        )


async def _close(generator: AsyncGenerator[Any, Any]) -> None:
    await generator.aclose()


class _Loop:
    """An `asyncio.Runner` for one call after the other, in one thread."""

    __slots__ = ("__weakref__", "runner", "work")

    def __init__(self) -> None:
        # With a factory, the runner leaves the thread's current event loop alone.
        self.runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self.work = _Work(self.runner.get_loop())

    def run(
        self, context: Context, func: Callable[..., Any], args: Any, kwargs: Any
    ) -> Any:
        """Run the function to its end, in *context*."""
        work = self.work
        try:
            result = self.runner.run(work.main(func, args, kwargs), context=context)
        except BaseException:
            if not work.settled:
                # A task other than main's raised SystemExit or KeyboardInterrupt.
                self.close()
            raise
        if work.exit is not None:
            error, work.exit = work.exit, None
            try:
                raise error
            finally:
                del error
        return result

    def close(self) -> None:
        """End all that still runs in the loop, and the loop itself."""
        if _local.__dict__.get("loop") is self:
            del _local.loop
        try:
            self.runner.close()
        finally:
            self.work.loop.set_task_factory(None)


_local = threading.local()


def _thread_loop() -> _Loop:
    """The loop of this thread, made at its first call, closed when the thread ends."""
    try:
        loop: _Loop = _local.loop
    except AttributeError:
        loop = _local.loop = _Loop()
        weakref.finalize(loop, _close_loop, loop.work.loop, os.getpid())
    return loop


#: Loops of the process this one was forked from.
_inherited: list[object] = []


def _close_loop(loop: asyncio.AbstractEventLoop, pid: int) -> None:
    """Close an idle loop; it may be running where a daemon thread outlives the program.

    A dying thread can run no loop any more. It need not: every call settles its own.
    """
    if pid != os.getpid():  # its selector is shared with the parent: hands off
        _inherited.append(loop)
    elif not loop.is_running():
        loop.set_task_factory(None)
        loop.close()


def _before_fork() -> None:
    """Close the forking thread's idle loop: parent and child must not share one."""
    loop = _local.__dict__.get("loop")
    if loop is not None and loop.work.settled:
        del _local.loop
        _close_loop(loop.work.loop, os.getpid())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork)


class _Elsewhere:
    """One call in a thread of its own, with a loop of its own; the caller waits."""

    def __init__(
        self, context: Context, func: Callable[..., Any], args: Any, kwargs: Any
    ) -> None:
        self.context = context
        self.call = func, args, kwargs
        self.handled = sys.exc_info()[1]
        self.loop: asyncio.AbstractEventLoop | None = None
        self.task: asyncio.Task[Any] | None = None
        self.cancelled = False
        self.under_gevent = False
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> Any:
        """Run in a new thread, which the calling thread waits for."""
        # Not thread.join: up to 3.12, a KeyboardInterrupt there "ends" the thread.
        done = threading.Event()

        def work() -> None:
            try:
                self.work()
            finally:
                done.set()

        threading.Thread(target=work, name="fastdispatch-async").start()
        return self.wait(done.wait)

    def run_under(self, hub: Any) -> Any:
        """Run in an OS thread of the hub's pool; the calling greenlet waits."""
        try:
            pool = hub.fastdispatch_pool
        except AttributeError:
            # Not hub.threadpool: its ten threads may all be waiting for an eleventh.
            # Threads are kept, as gevent loses memory with each hub of a thread.
            pool = import_module("gevent.threadpool").ThreadPool(_MAX_THREADS, hub)
            hub.fastdispatch_pool = pool
        self.under_gevent = True
        return self.wait(pool.spawn(self.work).wait)

    def wait(self, wait: Callable[[], object]) -> Any:
        """Wait for the end; what interrupts the waiting cancels the coroutine."""
        interrupt: BaseException | None = None
        while True:
            try:
                wait()
                break
            except BaseException as e:
                interrupt = interrupt or e
                self.cancel()
        error = interrupt or self.error
        if error is not None:
            try:
                raise error
            finally:
                del error, interrupt
                self.error = None
        return self.result

    def cancel(self) -> None:
        """Cancel the coroutine, from the thread that waits for it."""
        self.cancelled = True
        if self.loop is not None and self.task is not None:
            try:
                self.loop.call_soon_threadsafe(self.task.cancel)
            except RuntimeError:  # closed: it has ended meanwhile
                pass

    def work(self) -> None:
        """What the other thread does."""
        if self.handled is None:
            self.run_here()
            return
        # sys.exc_info() answers here as it would in the calling thread.
        traceback = self.handled.__traceback__
        try:
            raise self.handled
        except BaseException:
            self.handled.__traceback__ = traceback
            self.run_here()

    def run_here(self) -> None:
        """Run the call on a loop of its own, keep its result or error.

        The loop goes with the call, and its executor: under gevent the executor's
        threads are greenlets of this OS thread, which no other could join.
        """
        try:
            loop = _Loop()
            try:
                self.loop = loop.work.loop
                if self.under_gevent:
                    _wake_for_greenlets(self.loop)
                self.result = loop.run(self.context, self.main, (), {})
            finally:
                loop.close()
                # A closed loop is not to wait for the garbage collector.
                vars(loop.work.loop).pop("call_soon", None)
        except BaseException as e:
            self.error = e

    async def main(self) -> Any:
        """The function, in a task the waiting thread can cancel."""
        self.task = asyncio.current_task()
        if self.cancelled:
            raise asyncio.CancelledError
        func, args, kwargs = self.call
        return await func(*args, **kwargs)


def _wake_for_greenlets(loop: asyncio.AbstractEventLoop) -> None:
    """Have *loop* woken by what other greenlets of this OS thread schedule in it.

    asyncio (from CPython 3.13.12 and 3.14.3 on) takes the "threads" of an executor,
    which are such greenlets where the standard library is patched, for the loop itself,
    and what they have done would wait for the next timer.
    """
    getcurrent = import_module("gevent").getcurrent
    own = getcurrent()
    at_once = loop.call_soon

    def call_soon(callback: Any, *args: Any, context: Context | None = None) -> Any:
        schedule = at_once if getcurrent() is own else loop.call_soon_threadsafe
        return schedule(callback, *args, context=context)

    loop.call_soon = call_soon  # type: ignore[assignment,method-assign]


def _gevent_hub() -> Any:
    """The gevent hub of this thread, None where gevent does not run in it."""
    module = sys.modules.get("gevent._hub_local")
    return None if module is None else module.get_hub_if_exists()
