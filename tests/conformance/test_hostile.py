"""Hostile input: a 4xx or a clear error; never a 500, never an escaped exception."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.subjects import FLASK
from tests.conformance.subjects import Framework
from tests.conformance.subjects import NATIVE
from tests.conformance.support import Answer
from tests.conformance.support import call
from tests.conformance.support import environ
from tests.conformance.support import Server

Trace = list[t.Any]


def program(fw: Framework) -> t.Any:
    """A program that looks at everything a client may have forged."""
    app = fw.App("conformance")
    app.secret_key = "key"
    app.config["MAX_CONTENT_LENGTH"] = 10_000
    app.config["MAX_FORM_MEMORY_SIZE"] = 1000
    app.config["MAX_FORM_PARTS"] = 10
    ends: list[BaseException | None] = []
    app.extensions["ends"] = ends
    app.teardown_request(ends.append)

    def look() -> dict[str, t.Any]:
        request = fw.request
        return {
            "path": request.path,
            "base_url": request.base_url,
            "root_url": request.root_url,
            "host": request.host,
            "args": request.args.to_dict(flat=False),
            "query": request.query_string.decode("latin-1"),
            "cookies": request.cookies.to_dict(flat=False),
            "headers": [list(pair) for pair in request.headers],
            "length": request.content_length,
            "type": [request.mimetype, request.mimetype_params],
            "accept": request.accept_mimetypes.best,
            "languages": request.accept_languages.best,
            "auth": repr(request.authorization),
            "range": repr(request.range),
            "etag": repr(request.if_none_match),
            "since": repr(request.if_modified_since),
            "addr": [request.remote_addr, list(request.access_route)],
            "session": dict(fw.session),
        }

    methods = ["GET", "POST", "PUT"]
    app.add_url_rule("/", endpoint="look", view_func=look, methods=methods)
    app.add_url_rule("/look/<path:p>", endpoint="p", view_func=lambda p: look())
    app.add_url_rule("/int/<int:n>", endpoint="int", view_func=lambda n: str(n))
    app.add_url_rule("/branch/", endpoint="branch", view_func=lambda: "branch")
    app.add_url_rule(
        "/json",
        endpoint="json",
        view_func=lambda: {"got": fw.request.get_json()},
        methods=["POST"],
    )
    app.add_url_rule(
        "/form",
        endpoint="form",
        view_func=lambda: {"form": fw.request.form, "files": list(fw.request.files)},
        methods=["POST"],
    )
    app.add_url_rule(
        "/data",
        endpoint="data",
        view_func=lambda: str(len(fw.request.get_data())),
        methods=["POST"],
    )
    return app


def harmless(app: t.Any, env: dict[str, t.Any]) -> Answer:
    """Serve; whatever it was, it was answered, torn down, and not our fault."""
    before = len(app.extensions["ends"])
    answer = call(app, env=env)
    assert answer.status < 500, answer.text
    ends = app.extensions["ends"][before:]
    assert ends in ([None], []), ends
    assert ends == [None] or answer.status == 400
    return answer


def with_(key: str, value: str, path: str = "/", **kwargs: t.Any) -> dict[str, t.Any]:
    env = environ(path, **kwargs)
    env[key] = value
    return env


# --- Paths

PATHS = [
    "/\xff\xfe",
    "/int/\xff",
    "/\xc3",
    "/\xc3\x28",
    "/\xed\xa0\x80",
    "/%",
    "/%zz",
    "/%00",
    "/\x00",
    "/int/1\x00",
    "/int/1\n",
    "/x\r\nSet-Cookie: a=b",
    "/branch\r\nX: y",
    "//",
    "//evil.com",
    "//evil.com/branch",
    "/\\evil.com",
    "/..",
    "/../../etc/passwd",
    "/look/../../etc/passwd",
    "/look//",
    "/branch",
    "/branch//",
    "/int/",
    "/int/" + "9" * 5000,
    "/int/-1",
    "/int/1e5",
    "/int/\xd9\xa3",
    "/" + "a" * 20_000,
    "/" + "a/" * 5_000,
    "",
    "x",
    "*",
    "http://evil.com/",
    "/;a=b",
    "/?x",
    "/#x",
    "/look/\x7f",
    "/\xe2\x80\xae",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_malformed_paths(native: Framework, path: str, method: str) -> None:
    app = program(native)
    answer = harmless(app, with_("PATH_INFO", path, method=method))
    location = answer.headers.get("Location")

    if location is not None:
        assert location.startswith("http://localhost/")


@pytest.mark.parametrize("path", ["/\N{SNOWMAN}", "/int/\N{SNOWMAN}", "/\ud800"])
def test_paths_no_server_can_send(native: Framework, path: str) -> None:
    app = program(native)
    assert harmless(app, with_("PATH_INFO", path)).status == 400


@pytest.mark.parametrize("key", ["SCRIPT_NAME", "QUERY_STRING"])
@pytest.mark.parametrize(
    "value", ["\xff", "\xc3\x28", "\x00", "&" * 5000, "a=%zz&%=b&=&a", "//x"]
)
def test_malformed_script_names_and_queries(
    native: Framework, key: str, value: str
) -> None:
    app = program(native)

    for path in ("/", "/branch", "/nowhere"):
        harmless(app, with_(key, value, path))


@pytest.mark.parametrize("key", ["SCRIPT_NAME", "QUERY_STRING"])
def test_environs_that_are_not_latin1(native: Framework, key: str) -> None:
    app = program(native)

    for path in ("/", "/branch", "/nowhere"):
        answer = call(app, env=with_(key, "/\N{SNOWMAN}", path))
        assert answer.status < 500


@pytest.mark.parametrize("key", ["SCRIPT_NAME", "QUERY_STRING"])
def test_line_ends_in_a_routing_redirect(native: Framework, key: str) -> None:
    """No server lets them through; where one does, they reach no header."""
    app = program(native)
    answer = call(app, env=with_(key, "/a\r\nSet-Cookie: b=c", "/branch"))
    assert "Set-Cookie" not in answer.headers


# --- Hosts

HOSTS = [
    "",
    " ",
    "a b",
    "evil.com\r\nX: y",
    "a/b",
    "a?b",
    "a#b",
    "a@b",
    "user:pw@evil.com",
    "[::1",
    "[::1]",
    "::1",
    "a:b",
    "a:99999999",
    "a:-1",
    ":",
    ":80",
    ".",
    "..",
    "a..b",
    "\xff",
    "\x00",
    "a,b",
    "a" * 300,
    "xn--",
    "xn--a",
    "b\xfccher.example",
    "%00",
    "<script>",
    "-",
    "_",
    "*",
    "localhost:",
    "127.1",
    "a\\b",
]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("trusted", [None, ["example.com"]])
def test_malformed_hosts(
    native: Framework, host: str, trusted: list[str] | None
) -> None:
    app = program(native)
    app.config["TRUSTED_HOSTS"] = trusted

    for path in ("/", "/branch", "/nowhere"):
        answer = harmless(app, with_("HTTP_HOST", host, path))

        if trusted is not None:
            assert answer.status == 400


@pytest.mark.filterwarnings("ignore:Current server name")
@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("kind", ["host_matching", "subdomain_matching"])
def test_malformed_hosts_where_the_host_is_matched(
    native: Framework, host: str, kind: str
) -> None:
    app = native.App("conformance", static_folder=None, **{kind: True})

    if kind == "host_matching":
        app.add_url_rule("/", endpoint="i", view_func=lambda h: h, host="<h>")
    else:
        app.config["SERVER_NAME"] = "example.com"
        app.add_url_rule("/", endpoint="i", view_func=lambda s: s, subdomain="<s>")

    for path in ("/", "/nowhere"):
        assert call(app, env=with_("HTTP_HOST", host, path)).status < 500


def test_no_host_at_all(native: Framework) -> None:
    app = program(native)
    env = environ("/branch")
    del env["HTTP_HOST"]
    env["SERVER_NAME"], env["SERVER_PORT"] = "", ""
    harmless(app, env)


# --- What PEP 3333 requires

REQUIRED = {
    "REQUEST_METHOD",
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_PROTOCOL",
    "wsgi.errors",
    "wsgi.input",
    "wsgi.url_scheme",
    "wsgi.version",
}
OPTIONAL = {"HTTP_HOST", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR", "SCRIPT_NAME"}


def looking(fw: Framework) -> t.Any:
    app = fw.App("conformance")
    app.secret_key = "key"
    app.add_url_rule("/", "index", lambda: "index")

    @app.get("/look")  # type: ignore[untyped-decorator]
    def look() -> dict[str, t.Any]:
        request = fw.request
        return {"url": request.url, "args": request.args, "method": request.method}

    return app


@pytest.mark.parametrize("key", sorted(REQUIRED | OPTIONAL))
@pytest.mark.parametrize("warm", [False, True])
def test_a_key_that_the_environ_lacks(fw: Framework, key: str, warm: bool) -> None:
    """What Flask answers is answered; an error of Flask is one, or an answer."""
    app = looking(fw)
    oracle = looking(FLASK)

    for path in ("/", "/look", "/look?a=1", "/nowhere"):
        if warm:
            call(app, path)

        env = environ(path)
        env.pop(key, None)

        try:
            expected: Answer | None = call(oracle, env=dict(env))
        except KeyError:
            expected = None

        try:
            answer: Answer | None = call(app, env=dict(env))
        except KeyError:
            answer = None

        if expected is not None:
            assert answer is not None
            assert (answer.status, answer.text) == (expected.status, expected.text)
        else:
            assert key in {"REQUEST_METHOD", "wsgi.url_scheme"}
            assert answer is None or key == "wsgi.url_scheme"


def test_cookies_that_are_none(fw: Framework) -> None:
    """Flask fails on what PEP 3333 does not allow; ours takes it for no cookies."""
    plain = fw.name == "flask"
    answer = call(looking(fw), env=environ() | {"HTTP_COOKIE": None})
    assert answer.status == (500 if plain else 200)


# --- Headers

HEADERS = {
    "HTTP_COOKIE": [
        "",
        ";",
        "=",
        ";;=;",
        "a",
        "a=",
        "=b",
        "a=b=c",
        'a="',
        'a="\\"',
        'a="\\777"',
        "session=",
        "session=.",
        "session=a.b.c",
        "session=" + "." * 1000,
        "session=\xff",
        "session=eyJ9.x.y",
        "session=.eJw.x.y",
        "a=\x00",
        "a=\r\nX: y",
        "a=b;" * 2000,
        "session=1; session=2",
        "\xff=\xff",
        "a=%zz",
        "$Version=1; a=b",
    ],
    "CONTENT_LENGTH": [
        "",
        "x",
        "-1",
        "-0",
        "+5",
        "1.5",
        "1e3",
        " 5 ",
        "0x10",
        "\u0665",
        "9" * 30,
        "5, 5",
        "5\r\n",
        "\x00",
        "١",
    ],
    "CONTENT_TYPE": [
        "",
        ";",
        "/",
        "a",
        "a/b;",
        "a/b; charset",
        "a/b; charset=",
        'a/b; charset="',
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "\xff/\xff",
        "application/json; charset=nonsense",
        "text/plain; charset=utf-16",
        "a" * 5000,
        "multipart/form-data; boundary=" + "b" * 5000,
        "a/b\r\nX: y",
    ],
    "HTTP_AUTHORIZATION": [
        "",
        "Basic",
        "Basic ",
        "Basic x",
        "Basic ====",
        "Basic /w==",
        "Digest",
        "Bearer",
        "Digest a=b, c",
        "\xff \xff",
        "Basic Og==",
        "Nonsense x=y",
        "Digest " + "a=b," * 999,
    ],
    "HTTP_RANGE": ["", "bytes", "bytes=", "bytes=-", "bytes=5-1", "x=1-", "bytes=a-b"],
    "HTTP_IF_NONE_MATCH": ["", '"', "W/", "*", '"a', 'W/"a', ","],
    "HTTP_IF_MODIFIED_SINCE": ["", "x", "Thu, 99 Foo 9999", "0", "\xff", "9" * 100],
    "HTTP_ACCEPT": ["", ";", "a/b;q=x", "a/b;q=9", "*/*;q=-1", "a/b;q=nan", "," * 999],
    "HTTP_ACCEPT_LANGUAGE": ["", ";q=", "xx-yy-zz;q=0.5", "*", "\xff"],
    "HTTP_X_FORWARDED_FOR": ["", ",", "unknown", "\xff", "a, b\r\nX: y"],
    "HTTP_TRANSFER_ENCODING": ["chunked", "x", ""],
    "REMOTE_ADDR": ["", "x", "\xff"],
    "REQUEST_METHOD": [
        "BREW",
        "get",
        "",
        "G\xe9T",
        "GET\r\nX: y",
        "A" * 1000,
        "__init__",
    ],
    "wsgi.url_scheme": ["", "x", "javascript"],
    "SERVER_PORT": ["", "x", "-1", "99999999"],
    "SERVER_PROTOCOL": ["", "HTTP/9.9", "\xff"],
}


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key in HEADERS for value in HEADERS[key]]
)
def test_malformed_headers(native: Framework, key: str, value: str) -> None:
    app = program(native)

    for path in ("/", "/branch", "/nowhere"):
        harmless(app, with_(key, value, path))


@pytest.mark.parametrize("value", HEADERS["CONTENT_LENGTH"])
@pytest.mark.parametrize("path", ["/json", "/form", "/data"])
def test_malformed_content_lengths_with_a_body(
    native: Framework, value: str, path: str
) -> None:
    app = program(native)
    kinds = {"/json": "application/json", "/form": "multipart/form-data; boundary=x"}
    env = environ(path, "POST", data=b'{"a": 1}', content_type=kinds.get(path, "a/b"))
    env["CONTENT_LENGTH"] = value
    harmless(app, env)


# --- Bodies


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"}",
        b"nul",
        b'"',
        b'{"a":}',
        b"[1,]",
        b"{'a': 1}",
        b"\xff\xfe",
        b"\x00",
        b'{"a": "\xff"}',
        b"[" * 9000,
        b"[" * 200_000,
        b'{"a":' * 1500,
        b"1" * 5000,
        b"NaN x",
        b"\xef\xbb\xbf{}",
        b'"\\ud800"',
        b'{"a": 1}{"b": 2}',
    ],
)
def test_malformed_json(native: Framework, body: bytes) -> None:
    app = program(native)
    env = environ("/json", "POST", data=body, content_type="application/json")
    harmless(app, env)


@pytest.mark.parametrize("debug", [False, True])
def test_json_that_is_none(native: Framework, debug: bool) -> None:
    app = program(native)
    app.debug = debug
    env = environ("/json", "POST", data=b"{", content_type="application/json")
    answer = harmless(app, env)
    assert answer.status == 400
    assert ("Failed to decode JSON" in answer.text) is debug
    env = environ("/json", "POST", data=b"{}", content_type="text/plain")
    assert harmless(app, env).status == 415


BOUNDARY = "multipart/form-data; boundary=x"


FIELD = b"--x\r\nContent-Disposition: form-data; "


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x",
        b"--x--",
        b"--x\r\n",
        b"--x\r\n\r\n",
        b"--y\r\n\r\n--y--",
        b"\r\n" * 99,
        b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--",
        FIELD + b"name=a\r\n\r\na",
        FIELD + b'name="\r\n\r\na\r\n--x--',
        b"--x\r\nNo colon\r\n\r\na\r\n--x--",
        b"--x\r\n: x\r\n\r\na\r\n--x--",
        b"--x\r\nContent-Disposition: \xff; name=\xff\r\n\r\n\xff\r\n--x--",
        FIELD + b"name=a\r\n\r\n" + b"a" * 2000 + b"\r\n--x--",
        FIELD + b"name=f; filename=../../x\r\n\r\na\r\n--x--",
        FIELD + b'name=f; filename="\x00"\r\n\r\na\r\n--x--',
        b"--x\r\n" + b"X: y\r\n" * 900 + b"\r\na\r\n--x--",
        b"--x\r\nA: " + b"b" * 8000,
        FIELD + b"name=a\r\nContent-Type: a/b; charset=nonsense\r\n\r\n\xff\r\n--x--",
        FIELD + b"name=a\r\nContent-Length: x\r\n\r\na\r\n--x--",
        FIELD + b"name=a; filename*=x''%zz\r\n\r\na\r\n--x--",
    ],
)
def test_malformed_multipart(native: Framework, body: bytes) -> None:
    app = program(native)
    harmless(app, environ("/form", "POST", data=body, content_type=BOUNDARY))


@pytest.mark.parametrize(
    "body", [b"&&&", b"=", b"a=%zz", b"\xff=\xff", b"a=b;c=d", b"%00=%00", b"a" * 900]
)
def test_malformed_urlencoded_forms(native: Framework, body: bytes) -> None:
    app = program(native)
    kind = "application/x-www-form-urlencoded"
    harmless(app, environ("/form", "POST", data=body, content_type=kind))


def test_forms_over_their_limits(native: Framework) -> None:
    app = program(native)

    def post(path: str, data: t.Any, kind: str) -> int:
        return harmless(app, environ(path, "POST", data=data, content_type=kind)).status

    urlencoded = "application/x-www-form-urlencoded"
    assert post("/form", {"a": "b"}, "multipart/form-data") == 200
    assert post("/form", {"a": "b" * 2000}, "multipart/form-data") == 413
    assert (
        post("/form", {f"f{n}": "x" for n in range(11)}, "multipart/form-data") == 413
    )
    assert post("/form", b"a=" + b"b" * 2000, urlencoded) == 200
    assert post("/form", b"a=" + b"b" * 20_000, urlencoded) == 413
    assert post("/data", b"x" * 10_001, "application/octet-stream") == 413
    assert post("/json", b"[" + b" " * 10_001 + b"]", "application/json") == 413


def test_a_body_shorter_than_its_length(native: Framework) -> None:
    import io

    app = program(native)
    env = environ("/data", "POST", data=b"short")
    env["CONTENT_LENGTH"] = "500"
    env["wsgi.input"] = io.BytesIO(b"short")
    answer = harmless(app, env)
    assert answer.status == 400 or answer.text == "5"


def test_a_body_that_breaks_off(native: Framework) -> None:
    class Broken:
        def read(self, size: int = -1) -> bytes:
            raise ConnectionResetError("the client is gone")

        readline = read

    app = program(native)
    env = environ("/data", "POST", data=b"x")
    env["wsgi.input"] = Broken()
    harmless(app, env)


# --- Header injection


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_header_injection_through_a_redirect(native: Framework, end: str) -> None:
    app = native.App("conformance")
    app.add_url_rule(
        "/", endpoint="i", view_func=lambda: native.redirect(native.request.args["to"])
    )
    answer = call(app, query_string={"to": f"/there{end}Set-Cookie: admin=1"})
    assert "Set-Cookie" not in answer.headers

    if answer.status == 302:
        assert not set(answer.headers["Location"]) & {"\r", "\n"}
    else:
        assert answer.status in {400, 500}


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\ny", "a\ry"])
@pytest.mark.parametrize("how", ["tuple", "item", "constructor", "list", "add"])
def test_header_injection_through_headers(
    native: Framework, value: str, how: str
) -> None:
    """Werkzeug refuses it, loudly; the error names the character."""
    app = native.App("conformance")
    app.testing = True

    @app.route("/")
    def index() -> t.Any:
        if how == "tuple":
            return "body", {"X-A": value}

        if how == "list":
            return "body", 200, [("X-A", value)]

        if how == "constructor":
            return native.Response("body", headers={"X-A": value})

        response = native.make_response("body")

        if how == "item":
            response.headers["X-A"] = value
        else:
            response.headers.add("X-A", value)

        return response

    with pytest.raises(ValueError, match="newline"):
        call(app)

    app.testing = False
    answer = call(app)
    assert answer.status == 500
    assert "X-A" not in answer.headers and "X" not in answer.headers


@pytest.mark.parametrize("value", ["a\r\nX: y", "a; b", 'a"', "é", "\x00"])
def test_header_injection_through_cookies(native: Framework, value: str) -> None:
    app = native.App("conformance")
    app.secret_key = "key"

    @app.route("/")
    def index() -> t.Any:
        response = native.make_response("body")
        response.set_cookie("a", value)
        native.session["a"] = value
        return response

    answer = call(app)
    assert answer.status == 200
    assert len(answer.headers.getlist("Set-Cookie")) == 2
    client = app.test_client()
    client.get("/")

    with client.session_transaction() as session:
        assert session["a"] == value


@pytest.mark.parametrize("status", ["200 OK\r\nX: y", "200\nX: y", "\r\n", ""])
def test_header_injection_through_the_status(native: Framework, status: str) -> None:
    """Werkzeug lets it pass; PEP 3333 forbids control characters there."""
    app = native.App("conformance")
    app.add_url_rule("/", endpoint="i", view_func=lambda: ("body", status))
    started: list[str] = []

    def start_response(status: str, headers: t.Any, exc_info: t.Any = None) -> t.Any:
        started.append(status)

    iterable = app(environ(), start_response)
    b"".join(iterable)
    assert not set(started[0]) & {"\r", "\n"}


# --- The log


def test_a_forged_line_in_the_log(
    native: Framework, caplog: pytest.LogCaptureFixture
) -> None:
    app = native.App("conformance")

    @app.before_request
    def fails() -> None:
        raise ZeroDivisionError

    for path in (
        "/x%0aFAKE",
        "/x%0d%0aFAKE",
        "/%1b[2J",
        "/%00",
        "/%c2%85x",
        "/%e2%80%a8x",
    ):
        caplog.clear()
        assert call(app, path).status == 500
        (record,) = caplog.records
        message = record.getMessage()
        assert len(message.splitlines()) == 1
        assert message.isprintable()


def test_a_forged_line_through_a_teardown_hook(
    native: Framework, caplog: pytest.LogCaptureFixture
) -> None:
    app = native.App("conformance")

    @app.teardown_request
    def fails(exc: BaseException | None) -> None:
        raise ZeroDivisionError

    call(app, "/x%0aFAKE")
    (record,) = caplog.records
    assert record.getMessage().isprintable()


# --- Anything


SENDABLE = st.characters(codec="utf-8", exclude_characters="\r\n")


def _as_sent(text: str) -> str:
    """UTF-8 bytes in the way an environ has them."""
    return text.encode().decode("latin-1")


@pytest.mark.parametrize("fw", NATIVE, ids=str)
@given(
    path=st.text(st.characters(max_codepoint=255), max_size=30),
    query=st.text(SENDABLE, max_size=20).map(_as_sent),
    host=st.text(st.characters(max_codepoint=255), max_size=20),
    cookie=st.text(st.characters(max_codepoint=255), max_size=30),
    method=st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS", "X"]),
    prefix=st.sampled_from(["/", "/look/", "/int/", "/branch", "/form", "/json", ""]),
    kind=st.sampled_from(
        ["", "application/json", BOUNDARY, "text/plain; charset=\xff"]
    ),
    length=st.sampled_from(["", "0", "5", "x", "-5", "99"]),
    body=st.binary(max_size=60),
)
def test_anything_at_all(
    fw: Framework,
    path: str,
    query: str,
    host: str,
    cookie: str,
    method: str,
    prefix: str,
    kind: str,
    length: str,
    body: bytes,
) -> None:
    app = _program(fw)
    env = environ("/", method, data=body)
    env.update(
        PATH_INFO=prefix + path,
        QUERY_STRING=query,
        HTTP_HOST=host,
        HTTP_COOKIE=cookie,
        CONTENT_TYPE=kind,
        CONTENT_LENGTH=length,
    )
    harmless(app, env)
    app.extensions["ends"].clear()


_programs: dict[str, t.Any] = {}


def _program(fw: Framework) -> t.Any:
    return _programs.setdefault(fw.name, program(fw))


def test_a_server_sees_no_difference_after_all_that(native: Framework) -> None:
    app = program(native)

    for key, values in HEADERS.items():
        for value in values:
            harmless(app, with_(key, value))

    assert Server(app, environ("/int/7")).answer().text == "7"
