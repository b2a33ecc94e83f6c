"""Requests at the same time never see each other. Rule 18."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.subjects import Framework
from tests.conformance.subjects import NATIVE
from tests.stress.programs import application
from tests.stress.programs import ask
from tests.stress.programs import in_threads
from tests.stress.programs import nothing_left
from tests.stress.programs import RandomProgram
from tests.stress.programs import WAIT

import fastdispatch


def looks(fw: Framework, app: Any, number: str) -> None:
    """Whether all the proxies lead to this request's own objects."""
    assert fw.request.args["n"] == number
    assert fw.request.headers["X-Number"] == number
    assert fw.g.number == number
    assert fw.session["n"] == number
    assert fw.current_app._get_current_object() is app


def begin(fw: Framework) -> str:
    number: str = fw.request.args["n"]
    fw.g.number = number
    fw.session["n"] = number
    return number


def send(app: Any, path: str, number: int) -> None:
    answer = ask(
        app,
        path,
        query_string={"n": str(number)},
        headers={"X-Number": str(number)},
    )
    assert answer == (200, str(number).encode())


def test_threads_whose_views_are_open_at_the_same_time(fw: Framework) -> None:
    app = application(fw)
    inside = threading.Barrier(16, timeout=WAIT)
    torn_down = []

    @app.route("/")
    def view() -> str:
        number = begin(fw)
        inside.wait()
        looks(fw, app, number)
        inside.wait()
        looks(fw, app, number)
        return number

    @app.teardown_request
    def teardown(error: Any) -> None:
        looks(fw, app, fw.g.number)
        torn_down.append(fw.g.number)

    def work(thread: int) -> None:
        with nothing_left(fw):
            for n in range(20):
                send(app, "/", thread * 1000 + n)

    in_threads(16, work)
    assert len(torn_down) == len(set(torn_down)) == 16 * 20


def test_a_hundred_async_views_at_the_same_time(fw: Framework) -> None:
    app = application(fw)
    count = 100
    inside: list[str] = []

    @app.route("/")
    async def view() -> str:
        number = begin(fw)
        inside.append(number)
        while len(inside) < count:  # all are in, and waiting, before one goes on
            await asyncio.sleep(0.01)
            looks(fw, app, number)

        async def child() -> None:
            await asyncio.sleep(0)
            looks(fw, app, number)

        await asyncio.gather(child(), child())
        await asyncio.to_thread(looks, fw, app, number)
        looks(fw, app, number)
        return number

    @app.after_request
    async def after(response: Any) -> Any:
        looks(fw, app, fw.g.number)
        return response

    @app.teardown_request
    async def teardown(error: Any) -> None:
        await asyncio.sleep(0)
        looks(fw, app, fw.g.number)

    def work(n: int) -> None:
        with nothing_left(fw):
            send(app, "/", n)

    in_threads(count, work)
    assert sorted(map(int, inside)) == list(range(count))


def test_what_an_async_view_sets_is_there_afterwards(fw: Framework) -> None:
    app = application(fw)

    @app.before_request
    async def before() -> None:
        fw.g.seen = ["before"]

    @app.route("/")
    async def view() -> str:
        fw.g.seen.append("view")
        await asyncio.sleep(0)

        @fw.after_this_request
        async def late(response: Any) -> Any:
            fw.g.seen.append("late")
            response.set_data(" ".join(fw.g.seen))
            return response

        return ""

    assert ask(app, "/") == (200, b"before view late")


def test_threads_and_tasks_with_a_copied_context(fw: Framework) -> None:
    app = application(fw)

    @app.route("/")
    def view() -> str:
        number = begin(fw)
        results: list[str] = []

        @fw.copy_current_request_context
        def with_context() -> None:
            assert not hasattr(fw.g, "number")
            fw.g.number = number
            looks(fw, app, number)
            results.append("copied")

        def without_context() -> None:
            with pytest.raises(RuntimeError, match="request context"):
                fw.request.args  # noqa: B018
            results.append("alone")

        for target in (with_context, without_context):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join(WAIT)
        assert results == ["copied", "alone"]
        looks(fw, app, number)
        return number

    @app.route("/task")
    async def task() -> str:
        number = begin(fw)
        results: list[str] = []

        @fw.copy_current_request_context
        def with_context() -> None:
            # Rule 2: Flask 3.1 shares the g of the context around it; the copy that
            # 3.2 makes has one g for as long as there is the copy.
            kept = bool(results) if fw.flask32 else not fw.native
            assert hasattr(fw.g, "number") is kept
            fw.g.number = number
            looks(fw, app, number)
            results.append("copied")

        async def child() -> None:
            await asyncio.sleep(0)
            with_context()
            await asyncio.sleep(0)
            looks(fw, app, number)

        await asyncio.gather(child(), child())
        looks(fw, app, number)
        assert results == ["copied", "copied"]
        return number

    def work(thread: int) -> None:
        with nothing_left(fw):
            for n in range(3):
                send(app, "/", thread * 100 + n)
                send(app, "/task", thread * 100 + n)

    in_threads(8, work)


def test_greenlets_that_take_turns_inside_their_views(fw: Framework) -> None:
    greenlet = pytest.importorskip("greenlet")
    app = application(fw)
    torn_down: list[str] = []

    def turn() -> None:
        greenlet.getcurrent().parent.switch()

    @app.before_request
    def before() -> None:
        begin(fw)
        turn()

    @app.route("/")
    def view() -> str:
        number: str = fw.g.number
        turn()
        looks(fw, app, number)
        turn()
        looks(fw, app, number)
        return number

    @app.teardown_request
    def teardown(error: Any) -> None:
        turn()
        looks(fw, app, fw.g.number)
        torn_down.append(fw.g.number)

    with nothing_left(fw):
        running = [greenlet.greenlet(lambda n=n: send(app, "/", n)) for n in range(40)]
        while running:
            for one in running:
                one.switch()
            running = [one for one in running if not one.dead]
        assert sorted(map(int, torn_down)) == list(range(40))


def test_tasks_of_one_loop_that_take_turns(fw: Framework) -> None:
    app = application(fw)

    async def one(number: int) -> None:
        headers = {"X-Number": str(number)}
        query = {"n": str(number)}
        with app.test_request_context("/", headers=headers, query_string=query):
            begin(fw)
            for _ in range(5):
                await asyncio.sleep(0)
                looks(fw, app, str(number))
        assert not fw.has_request_context()

    async def main() -> None:
        await asyncio.gather(*[one(n) for n in range(50)])

    with nothing_left(fw):
        asyncio.run(main())


@pytest.mark.parametrize("fw", NATIVE, ids=repr)
def test_async_views_inside_a_running_loop(fw: Framework) -> None:
    """An async test, or a notebook, that calls the application."""
    app = application(fw)

    @app.before_request
    async def before() -> None:
        begin(fw)
        await asyncio.sleep(0)

    @app.route("/")
    async def view() -> str:
        await asyncio.sleep(0)
        looks(fw, app, fw.g.number)
        await asyncio.gather(
            asyncio.sleep(0), asyncio.to_thread(looks_here, fw.g.number)
        )
        return str(fw.g.number)

    def looks_here(number: str) -> None:
        looks(fw, app, number)

    @app.teardown_request
    async def teardown(error: Any) -> None:
        looks(fw, app, fw.g.number)

    async def one(number: int) -> None:
        send(app, "/", number)
        await asyncio.sleep(0)
        assert not fw.has_request_context()
        send(app, "/", number)

    async def main() -> None:
        await asyncio.gather(*[one(n) for n in range(5)])

    with nothing_left(fw):
        asyncio.run(main())


@pytest.mark.parametrize("seed", range(4))
def test_random_programs_leave_the_same_trace_among_others(
    fw: Framework, seed: int
) -> None:
    program = RandomProgram(fw, seed)
    alone = [program.run(n, f"alone {n}") for n in range(24)]
    assert any(trace for _, _, trace in alone)

    def work(thread: int) -> None:
        order = list(range(24))
        for n in order[thread:] + order[:thread]:
            with nothing_left(fw):
                assert program.run(n, f"{thread} {n}") == alone[n]

    in_threads(8, work)
    assert program.traces == {}


def gevent_subjects() -> list[str]:
    return ["compiled", "pure", "flask"] if fastdispatch.compiled else ["pure", "flask"]


@pytest.mark.parametrize("subject", gevent_subjects())
@pytest.mark.parametrize("patch", [True, False], ids=["patched", "plain"])
def test_gevent_greenlets(subject: str, patch: bool) -> None:
    pytest.importorskip("gevent")
    code = f"""
        from gevent import monkey
        if {patch}:
            monkey.patch_all()
        import asyncio
        import gevent
        from tests.stress.programs import ask, application
        from tests.conformance.subjects import SUBJECTS

        if {subject!r} == "flask":
            fw = SUBJECTS[-1]
        else:
            import fastdispatch
            assert fastdispatch.compiled is ({subject!r} == "compiled")
            fw = SUBJECTS[0]
        app = application(fw)
        COUNT = 40
        inside = {{"sync": 0, "async": 0}}

        @app.before_request
        def before():
            fw.g.number = fw.session["n"] = fw.request.args["n"]

        def look(number):
            assert fw.request.args["n"] == fw.g.number == fw.session["n"] == number

        @app.route("/sync")
        def view():
            number = fw.g.number
            inside["sync"] += 1
            while inside["sync"] < COUNT:
                gevent.sleep(0.001)
                look(number)

            @fw.copy_current_request_context
            def copied():
                gevent.sleep(0)
                return fw.request.args["n"]

            assert gevent.spawn(copied).get() == number
            look(number)
            return number

        @app.route("/async")
        async def async_view():
            number = fw.g.number
            inside["async"] += 1
            while inside["async"] < COUNT:
                await asyncio.sleep(0.005)
                look(number)
            return number

        failed = []

        @app.teardown_request
        def teardown(error):
            gevent.sleep(0)
            try:
                if "number" in fw.g:  # a copied context has a g of its own
                    look(fw.g.number)
            except BaseException as e:
                failed.append(e)

        def one(path, n):
            answer = ask(app, path, query_string={{"n": str(n)}})
            assert answer == (200, str(n).encode()), answer
            assert not fw.has_request_context()

        # asgiref, which runs Flask's async views, knows no gevent.
        for path in ["/sync"] if fw is SUBJECTS[-1] else ["/sync", "/async"]:
            greenlets = [gevent.spawn(one, path, n) for n in range(COUNT)]
            gevent.joinall(greenlets, timeout={WAIT}, raise_error=True)
            assert all(g.successful() for g in greenlets)
        assert not fw.has_request_context()
        assert failed == []
        print("done")
    """
    root = Path(__file__).parents[2]
    package = Path(fastdispatch.__file__).parents[1]
    env = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(package), str(root)]),
    }
    if subject != "flask":
        env["FASTDISPATCH_PURE"] = "1" if subject == "pure" else "0"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        env=env,
        capture_output=True,
        text=True,
        timeout=2 * WAIT,
    )
    assert (done.stdout, done.stderr) == ("done\n", "")
