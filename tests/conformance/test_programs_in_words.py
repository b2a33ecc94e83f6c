"""Programs as people describe them, each in its own words."""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
import threading
import typing as t

import pytest
from tests.conformance.subjects import Framework
from tests.conformance.support import call

Trace = list[t.Any]


class Connection:
    """Stands for a database connection: open until it is closed."""

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


@pytest.fixture(params=[False, True], ids=["production", "debug"])
def debug(request: pytest.FixtureRequest) -> bool:
    """Everything has to hold in debug mode too; there, errors propagate."""
    flag: bool = request.param
    return flag


def serve(app: t.Any, path: str = "/", **kwargs: t.Any) -> t.Any:
    """Answer as a server would: an error that escapes is its 500."""
    try:
        return call(app, path, **kwargs)
    except Exception as e:
        return e


# --- Teardown


def test_teardown_request_closes_the_connection_though_the_view_raised(
    fw: Framework, app: t.Any, debug: bool
) -> None:
    app.debug = debug
    connections: list[Connection] = []

    @app.before_request
    def connect() -> None:
        fw.g.db = Connection()
        connections.append(fw.g.db)

    @app.teardown_request
    def close(exception: BaseException | None) -> None:
        db = fw.g.pop("db", None)

        if db is not None:
            db.close()

    @app.route("/")
    def fine() -> str:
        assert not fw.g.db.closed
        return "fine"

    @app.route("/fails")
    def fails() -> str:
        raise ValueError("in the view")

    assert serve(app).text == "fine"
    failed = serve(app, "/fails")
    assert isinstance(failed, ValueError) if debug else failed.status == 500
    assert serve(app, "/nowhere").status == 404
    assert [db.closed for db in connections] == [True, True, True]


def test_teardown_with_exception_none_as_its_parameter(
    fw: Framework, app: t.Any, trace: Trace, debug: bool
) -> None:
    app.debug = debug

    @app.teardown_request
    def teardown(exception: BaseException | None = None) -> None:
        trace.append(exception)

    @app.route("/")
    def index() -> str:
        return "fine"

    @app.route("/fails")
    def fails() -> t.NoReturn:
        raise ZeroDivisionError

    serve(app)
    serve(app, "/fails")
    assert trace[0] is None
    assert isinstance(trace[1], ZeroDivisionError)
    assert len(trace) == 2


def test_two_teardowns_one_of_which_raises(
    fw: Framework, app: t.Any, trace: Trace, caplog: pytest.LogCaptureFixture
) -> None:
    @app.teardown_request
    def always_runs(exception: BaseException | None) -> None:
        trace.append("always_runs")

    @app.teardown_request
    def close_the_database(exception: BaseException | None) -> None:
        trace.append("close_the_database")
        raise OSError("the database is gone")

    @app.route("/")
    def index() -> str:
        return "the answer"

    if not fw.merged:
        with pytest.raises(OSError, match="the database is gone"):
            call(app)

        assert trace == ["close_the_database"], "Flask 3.1 skips the rest"
        return

    if fw.flask32:
        with pytest.raises(ExceptionGroup, match="Errors during context teardown"):
            call(app)

        assert trace == ["close_the_database", "always_runs"]
        return

    assert call(app).text == "the answer"
    assert trace == ["close_the_database", "always_runs"]
    (record,) = caplog.records
    assert "close_the_database" in record.getMessage()
    assert "the database is gone" in caplog.text


def test_two_teardowns_one_of_which_raises_in_debug_mode(
    native: Framework, trace: Trace
) -> None:
    app = native.App("conformance")
    app.debug = True
    app.teardown_request(lambda exception: trace.append("always runs"))

    @app.teardown_request
    def close_the_database(exception: BaseException | None) -> None:
        raise OSError("the database is gone")

    app.add_url_rule("/", endpoint="i", view_func=lambda: "the answer")

    with pytest.raises(OSError, match="the database is gone"):
        call(app)

    assert trace == ["always runs"]


def test_a_teardown_that_tries_to_change_the_response(
    fw: Framework, app: t.Any, debug: bool
) -> None:
    app.debug = debug

    @app.after_request
    def keep(response: t.Any) -> t.Any:
        fw.g.response = response
        return response

    @app.teardown_request
    def teardown(exception: BaseException | None) -> t.Any:
        fw.g.response.data = b"changed"
        fw.g.response.status_code = 418
        fw.g.response.headers["X-Changed"] = "yes"
        return fw.make_response("another", 404)

    @app.route("/")
    def index() -> str:
        return "the answer"

    answer = call(app)
    assert (answer.status, answer.text) == (200, "the answer")
    assert "X-Changed" not in answer.headers


def test_teardown_appcontext_beside_teardown_request(
    fw: Framework, app: t.Any, trace: Trace, debug: bool
) -> None:
    app.debug = debug

    @app.teardown_appcontext
    def appcontext(exception: BaseException | None) -> None:
        trace.append(("appcontext", type(exception)))

    @app.teardown_request
    def request(exception: BaseException | None) -> None:
        trace.append(("request", type(exception)))

    app.add_url_rule("/", endpoint="i", view_func=lambda: "fine")
    app.add_url_rule("/fails", endpoint="f", view_func=lambda: 1 // 0)
    serve(app)
    serve(app, "/fails")

    with app.app_context():
        pass

    none, zero = type(None), ZeroDivisionError
    assert trace == [
        ("request", none),
        ("appcontext", none),
        ("request", zero),
        ("appcontext", zero),
        ("appcontext", none),
    ]


def test_several_requests_inside_one_pushed_app_context(
    fw: Framework, app: t.Any, trace: Trace, debug: bool
) -> None:
    app.debug = debug

    if fw.native:
        app.config["SHARE_APP_CONTEXT"] = True

    def get_db() -> Connection:
        if "db" not in fw.g:
            fw.g.db = Connection()
            trace.append(("opened", fw.g.db))

        db: Connection = fw.g.db
        return db

    @app.teardown_appcontext
    def close(exception: BaseException | None) -> None:
        db = fw.g.pop("db", None)

        if db is not None:
            db.close()
            trace.append(("closed", db))

    @app.route("/")
    def index() -> str:
        assert not get_db().closed
        return "fine"

    with app.app_context():
        for _ in range(3):
            assert call(app).text == "fine"

        names = [name for name, _ in trace]

        if fw.flask32:
            assert names == ["opened", "closed"] * 3, "a context of its own for each"
            names = names[:-2]
        else:
            assert names == ["opened"]
            assert not fw.g.db.closed
            names = []

    names += ["opened", "closed"]
    assert [name for name, _ in trace] == names
    assert call(app).text == "fine"
    assert [name for name, _ in trace] == [*names, "opened", "closed"]


def test_the_order_of_two_hooks_of_each_kind(
    fw: Framework, app: t.Any, trace: Trace, debug: bool
) -> None:
    app.debug = debug
    app.before_request(lambda: trace.append("before one"))
    app.before_request(lambda: trace.append("before two"))

    @app.after_request
    def after_one(response: t.Any) -> t.Any:
        trace.append("after one")
        return response

    @app.after_request
    def after_two(response: t.Any) -> t.Any:
        trace.append("after two")
        return response

    app.teardown_request(lambda exc: trace.append("teardown one"))
    app.teardown_request(lambda exc: trace.append("teardown two"))

    @app.route("/")
    def index() -> str:
        trace.append("view")
        return ""

    call(app)
    assert trace == [
        "before one",
        "before two",
        "view",
        "after two",
        "after one",
        "teardown two",
        "teardown one",
    ]


def test_teardowns_that_disturb_exc_info(
    fw: Framework, app: t.Any, trace: Trace, debug: bool
) -> None:
    app.debug = debug

    @app.route("/")
    def index() -> str:
        return str(1 // 0)

    for error in (LookupError, OSError, ValueError):

        @app.teardown_request
        def disturb(exc: BaseException | None, error: t.Any = error) -> None:
            trace.append(exc)

            try:
                raise error
            except error:
                assert sys.exc_info()[0] is error

    serve(app)
    assert len(trace) == 3
    assert isinstance(trace[0], ZeroDivisionError)
    assert trace[0] is trace[1] is trace[2]


def test_teardown_return_values_are_ignored(
    fw: Framework, app: t.Any, debug: bool
) -> None:
    app.debug = debug
    app.teardown_request(lambda exc: ("instead", 500))
    app.teardown_appcontext(lambda exc: "instead")
    app.add_url_rule("/", endpoint="i", view_func=lambda: "the answer")
    answer = call(app)
    assert (answer.status, answer.text) == (200, "the answer")


# --- Before and after


def test_before_first_request_once_over_many_requests(
    native: Framework, trace: Trace, debug: bool
) -> None:
    app = native.App("conformance")
    app.debug = debug
    app.before_first_request(lambda: trace.append("first"))
    app.add_url_rule("/", endpoint="i", view_func=lambda: "fine")
    assert {call(app).text for _ in range(10)} == {"fine"}
    assert trace == ["first"]


def test_before_first_request_once_over_32_threads(
    native: Framework, trace: Trace, debug: bool
) -> None:
    app = native.App("conformance")
    app.debug = debug
    barrier = threading.Barrier(32, timeout=30)
    ready: list[bool] = []

    @app.before_first_request
    def first() -> None:
        trace.append(native.request.path)
        threading.Event().wait(0.05)
        ready.append(True)

    @app.route("/<int:n>")
    def view(n: int) -> str:
        return f"{n} {bool(ready)}"

    def work(n: int) -> str:
        barrier.wait()
        return call(app, f"/{n}").text

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(work, range(32)))

    assert answers == [f"{n} True" for n in range(32)], "nobody overtook it"
    assert len(trace) == 1


def test_before_request_sets_session_and_g_for_the_view(
    fw: Framework, app: t.Any, debug: bool
) -> None:
    app.debug = debug
    app.secret_key = "secret"

    @app.before_request
    def load() -> None:
        fw.session["foo"] = "bar"
        fw.g.username = "root"

    @app.route("/")
    def index() -> str:
        return f"{fw.session['foo']} {fw.g.username}"

    client = app.test_client()
    assert client.get("/").text == "bar root"

    with client.session_transaction() as session:
        assert session["foo"] == "bar"


def test_a_before_request_that_answers(
    fw: Framework, app: t.Any, trace: Trace, debug: bool
) -> None:
    app.debug = debug

    @app.before_request
    def answer() -> str:
        return "answered"

    @app.after_request
    def after(response: t.Any) -> t.Any:
        trace.append("after")
        return response

    app.add_url_rule("/", endpoint="i", view_func=lambda: trace.append("view"))
    app.teardown_request(lambda exc: trace.append("teardown"))
    assert call(app).text == "answered"
    assert trace == ["after", "teardown"]


def test_after_request_reads_g_and_session(
    fw: Framework, app: t.Any, debug: bool
) -> None:
    app.debug = debug
    app.secret_key = "secret"

    @app.route("/")
    def index() -> str:
        fw.g.username = "root"
        fw.session["foo"] = "bar"
        return "view"

    @app.after_request
    def after(response: t.Any) -> t.Any:
        response.headers["X-User"] = f"{fw.g.username} {fw.session['foo']}"
        return response

    assert call(app).headers["X-User"] == "root bar"


@pytest.mark.parametrize("setting", [True, False])
def test_after_request_on_error_both_ways(
    native: Framework,
    capsys: pytest.CaptureFixture[str],
    setting: bool,
) -> None:
    app = native.App("conformance")
    app.config["AFTER_REQUEST_ON_ERROR"] = setting

    @app.route("/")
    def index() -> str:
        raise ValueError("something went wrong")

    @app.after_request
    def after(response: t.Any) -> t.Any:
        print("after_request")
        response.headers["X-After"] = "ran"
        return response

    @app.teardown_request
    def teardown(exc: BaseException | None) -> None:
        print(f"teardown: {exc!r}")

    answer = call(app)
    assert answer.status == 500
    assert ("X-After" in answer.headers) is setting
    printed = capsys.readouterr().out.splitlines()
    after_line = ["after_request"] if setting else []
    assert printed == [*after_line, "teardown: ValueError('something went wrong')"]


def test_after_request_on_error_in_flask(
    fw: Framework, app: t.Any, trace: Trace
) -> None:
    """What the default is: the hooks run on the 500, as in Flask since 1.1."""

    @app.after_request
    def after(response: t.Any) -> t.Any:
        trace.append(response.status_code)
        return response

    app.add_url_rule("/", endpoint="i", view_func=lambda: int("no number"))
    app.teardown_request(lambda exc: trace.append(type(exc)))
    assert call(app).status == 500
    assert trace == [500, ValueError]


# --- `request`


def test_request_outside_a_request(fw: Framework) -> None:
    with pytest.raises(RuntimeError, match="Working outside of request context"):
        _ = fw.request.method

    assert not fw.has_request_context()


def test_request_inside_test_request_context(
    fw: Framework, app: t.Any, debug: bool
) -> None:
    app.debug = debug

    with app.test_request_context(
        "/path?q=1", method="POST", data={"name": "value"}, headers={"X-A": "b"}
    ):
        assert fw.request.path == "/path"
        assert fw.request.method == "POST"
        assert fw.request.args["q"] == "1"
        assert fw.request.form["name"] == "value"
        assert fw.request.headers["X-A"] == "b"
        assert fw.current_app._get_current_object() is app

    with pytest.raises(RuntimeError):
        _ = fw.request.path


def test_request_in_a_thread(fw: Framework, app: t.Any, debug: bool) -> None:
    app.debug = debug

    @app.route("/without/<int:n>")
    def without(n: int) -> str:
        def job() -> str:
            try:
                return str(fw.request.path)
            except RuntimeError as e:
                return str(e).splitlines()[0]

        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            return pool.submit(job).result(10)

    @app.route("/with/<int:n>")
    def with_(n: int) -> str:
        @fw.copy_current_request_context
        def job() -> str:
            return f"{fw.request.path} {fw.request.view_args}"

        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            return pool.submit(job).result(10)

    assert call(app, "/without/1").text.startswith("Working outside of request context")
    assert call(app, "/with/2").text == "/with/2 {'n': 2}"


def test_request_in_an_async_view(fw: Framework, app: t.Any, debug: bool) -> None:
    app.debug = debug

    @app.route("/<name>")
    async def view(name: str) -> str:
        before = fw.request.path
        await asyncio.sleep(0.001)
        return f"{before} {fw.request.path} {fw.request.view_args['name']}"

    assert call(app, "/one").text == "/one /one one"
    assert call(app, "/two").text == "/two /two two"


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_100_concurrent_requests_never_see_each_other(
    fw: Framework, app: t.Any, debug: bool, kind: str
) -> None:
    app.debug = debug
    app.secret_key = "secret"
    workers = 20
    barrier = threading.Barrier(workers, timeout=30)

    @app.before_request
    def before() -> None:
        fw.g.n = fw.request.args["n"]
        fw.session["n"] = fw.request.args["n"]

    def read() -> dict[str, t.Any]:
        return {
            "view": fw.request.view_args["n"],
            "args": fw.request.args["n"],
            "header": fw.request.headers["X-N"],
            "body": fw.request.get_data(as_text=True),
            "g": fw.g.n,
            "session": fw.session["n"],
            "url": fw.url_for("view", n=fw.g.n),
        }

    if kind == "def":

        @app.post("/<n>")
        def view(n: str) -> list[t.Any]:
            first = read()
            barrier.wait()
            return [first, read()]

    else:

        @app.post("/<n>")
        async def view(n: str) -> list[t.Any]:
            first = read()
            await asyncio.sleep(0)
            barrier.wait()
            await asyncio.sleep(0)
            return [first, read()]

    @app.after_request
    def after(response: t.Any) -> t.Any:
        response.headers["X-N"] = fw.g.n
        return response

    ends: dict[int, list[str]] = {n: [] for n in range(100)}
    app.teardown_request(lambda exc: ends[int(fw.g.n)].append(fw.request.args["n"]))

    def work(n: int) -> tuple[t.Any, str]:
        answer = call(app, f"/{n}?n={n}", "POST", data=f"{n}", headers={"X-N": f"{n}"})
        return answer.json, answer.headers["X-N"]

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        answers = list(pool.map(work, range(100)))

    for n, (seen, header) in enumerate(answers):
        expected = dict.fromkeys(
            ["view", "args", "header", "body", "g", "session"], f"{n}"
        )
        expected["url"] = f"/{n}"
        assert seen == [expected, expected]
        assert header == f"{n}"
        assert ends[n] == [f"{n}"]
