"""Functions for use in views and hooks; most of them ask the current application."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from functools import update_wrapper
from typing import Any
from typing import AnyStr
from typing import cast
from typing import Generic
from typing import IO
from typing import Literal
from typing import NoReturn
from typing import overload
from typing import ParamSpec
from typing import TYPE_CHECKING
from typing import TypeVar

import werkzeug.utils
from werkzeug.exceptions import abort as werkzeug_abort
from werkzeug.utils import redirect as werkzeug_redirect
from werkzeug.wrappers import Response as WerkzeugResponse

from . import errors
from .config import get_debug_flag as get_debug_flag
from .engine import context
from .globals import current_app
from .globals import request
from .globals import session
from .scaffold import get_root_path as get_root_path
from .signals import message_flashed

if TYPE_CHECKING:
    import os

    from .engine.context import Context
    from .wrappers import Response

A = TypeVar("A", bound=Callable[..., Any])
P = ParamSpec("P")
R = TypeVar("R")


# Contexts.


def has_request_context() -> bool:
    """Whether ``request`` and ``session`` can be used here."""
    ctx = context.current()
    return ctx is not None and bool(ctx.has_request)


def has_app_context() -> bool:
    """Whether ``current_app`` and ``g`` can be used here."""
    return context.current() is not None


def _request_context(function: str) -> Context:
    ctx = context.current()
    if ctx is None or not ctx.has_request:
        raise RuntimeError(
            f"'{function}' can only be used when a request context is active, such as"
            " in a view function."
        )
    return cast("Context", ctx)


def after_this_request(f: A) -> A:
    """Call *f* with this request's response; it returns that or another response.

    Functions run in the order of registration, before the ``after_request`` hooks
    (rule 28).

    :raises RuntimeError: outside of a request (rule 13).
    """
    _request_context("after_this_request").after_this_request(f)
    return f


@overload
def copy_current_request_context(
    f: Callable[P, R], *, teardown: bool = True
) -> Callable[P, R]: ...


@overload
def copy_current_request_context(
    f: None = None, *, teardown: bool = True
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


def copy_current_request_context(f: Any = None, *, teardown: bool = True) -> Any:
    """Make *f* run in a copy of this context, in a thread or greenlet for example.

    A call sees the same request and session objects and a ``g`` of its own. A session
    that is changed after the response was made is not saved.

    :param f: the function; leave it out to use the result as a decorator.
    :param teardown: whether each call runs the teardown hooks at its end. Rule 12.
    :raises RuntimeError: outside of a request.
    """
    snapshot = _request_context("copy_current_request_context").copy()

    def decorate(func: Callable[P, R]) -> Callable[P, R]:
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            # Calls may overlap: each one needs a context of its own.
            with snapshot.copy(teardown) as ctx:
                return cast(R, ctx.app.ensure_sync(func)(*args, **kwargs))

        return update_wrapper(run, func)

    return decorate if f is None else decorate(f)


class _ContextStream(Generic[AnyStr]):
    """An iterator that makes a context current while it works, and at no other time.

    It puts the context's teardown off until it ends, fails, is closed or is freed.
    """

    _ctx: Context | None = None

    def __init__(self, iterator: Iterator[AnyStr], ctx: Context) -> None:
        self._iterator: Iterator[AnyStr] = iterator
        self._hold = ctx.hold()
        self._ctx = ctx

    def __iter__(self) -> _ContextStream[AnyStr]:
        return self

    def __next__(self) -> AnyStr:
        ctx = self._ctx
        if ctx is None:
            raise StopIteration
        try:
            token = context.make_current(ctx)
            try:
                return next(self._iterator)
            finally:
                context.restore(token)
        except StopIteration:
            self._end(None)
            raise
        except BaseException as e:
            self._end(e)
            raise

    def close(self) -> None:
        """Close what is iterated over and let the context go. Harmless twice."""
        self._end(None)

    def _end(self, exc: BaseException | None) -> None:
        ctx = self._ctx
        if ctx is None:
            return
        self._ctx = None
        try:
            close = getattr(self._iterator, "close", None)
            if close is not None:
                token = context.make_current(ctx)
                try:
                    close()
                finally:
                    context.restore(token)
        except BaseException as e:
            exc = exc or e
            raise
        finally:
            ctx.release(self._hold, exc)

    def __del__(self) -> None:
        self.close()


@overload
def stream_with_context(
    generator_or_function: Iterator[AnyStr],
) -> Iterator[AnyStr]: ...


@overload
def stream_with_context(
    generator_or_function: Callable[P, Iterator[AnyStr]],
) -> Callable[P, Iterator[AnyStr]]: ...


def stream_with_context(generator_or_function: Any) -> Any:
    """Let a streamed body use ``request``, ``session`` and ``g``. Rule 14.

    The context is current only while the generator runs. Its teardown takes place
    once, when the stream ends, fails or is closed. ::

        @app.get("/stream")
        def stream():
            @stream_with_context
            def generate():
                yield "Hello "
                yield request.args["name"]

            return Response(generate())

    :param generator_or_function: an iterator of str or bytes, whose ``close`` is
        called at the end if it has one; or, as a decorator, a function that returns
        such an iterator.
    :raises RuntimeError: outside of a request; for the function, when it is called.
    :raises TypeError: if it is neither.
    """
    try:
        iterator = iter(cast("Iterator[Any]", generator_or_function))
    except TypeError:
        function = generator_or_function
        if not callable(function):
            raise TypeError(
                "stream_with_context() needs an iterator or a function that returns"
                f" one, not {type(function).__name__!r}."
            ) from None

        def decorated(*args: Any, **kwargs: Any) -> Any:
            body = cast("Iterator[Any]", function(*args, **kwargs))
            return stream_with_context(iter(body))

        return update_wrapper(decorated, function)
    return _ContextStream(iterator, _request_context("stream_with_context"))


# Responses.


def make_response(*args: Any) -> Response:
    """Make a response of what a view could return, to set headers on for example.

    :param args: a return value (rule 45), or its parts as several arguments; nothing
        for an empty response.
    :raises TypeError: if a view could not return that.
    """
    if not args:
        return current_app.response_class()
    return current_app.make_response(args[0] if len(args) == 1 else args)


def redirect(
    location: str,
    code: int = 302,
    Response: type[WerkzeugResponse] | None = None,  # noqa: N803
) -> WerkzeugResponse:
    """A response that sends the client to *location*, by the app's ``redirect``.

    :param code: 301, 302, 303, 305, 307 or 308. Rule 55.
    :param Response: the class of the response; used only outside of a context.
    """
    ctx = context.current()
    if ctx is not None:
        return cast(WerkzeugResponse, ctx.app.redirect(location, code=code))
    return werkzeug_redirect(location, code=code, Response=Response)


def abort(code: int | WerkzeugResponse, *args: Any, **kwargs: Any) -> NoReturn:
    """Raise the HTTPException of a status code, by the app's ``aborter``.

    :param code: a status, or a response to end the request with.
    :param args: arguments for the exception, as are *kwargs*.
    :raises LookupError: if there is no exception for *code*.
    """
    ctx = context.current()
    if ctx is not None:
        ctx.app.aborter(code, *args, **kwargs)
    werkzeug_abort(code, *args, **kwargs)


def url_for(
    endpoint: str,
    *,
    _anchor: str | None = None,
    _method: str | None = None,
    _scheme: str | None = None,
    _external: bool | None = None,
    **values: Any,
) -> str:
    """Build the URL of an endpoint: :meth:`.App.url_for` of the current app."""
    return current_app.url_for(
        endpoint,
        _anchor=_anchor,
        _method=_method,
        _scheme=_scheme,
        _external=_external,
        **values,
    )


# Flashed messages.


def flash(message: str, category: str = "message") -> None:
    """Keep a message in the session for the next :func:`get_flashed_messages`.

    :param category: any string; 'message', 'error', 'info' and 'warning' are usual.
    """
    # Assigned, not changed in place: a session may only notice assignments.
    flashes = session.get("_flashes", [])
    flashes.append((category, message))
    session["_flashes"] = flashes
    app = context.current().app
    message_flashed.send(
        app, _async_wrapper=app.ensure_sync, message=message, category=category
    )


@overload
def get_flashed_messages(
    with_categories: Literal[False] = False, category_filter: Iterable[str] = ()
) -> list[str]: ...


@overload
def get_flashed_messages(
    with_categories: Literal[True], category_filter: Iterable[str] = ()
) -> list[tuple[str, str]]: ...


@overload
def get_flashed_messages(
    with_categories: bool = False, category_filter: Iterable[str] = ()
) -> list[str] | list[tuple[str, str]]: ...


def get_flashed_messages(
    with_categories: bool = False, category_filter: Iterable[str] = ()
) -> list[str] | list[tuple[str, str]]:
    """Take the flashed messages out of the session; again in the same request.

    :param with_categories: return pairs of category and message.
    :param category_filter: the categories to return; all if it is empty.
    """
    ctx = _request_context("get_flashed_messages")
    flashes: Any = ctx.flashes
    if flashes is None:
        flashes = session.pop("_flashes") if "_flashes" in session else []
        ctx.flashes = flashes
    categories = list(category_filter)
    if categories:
        flashes = [pair for pair in flashes if pair[0] in categories]
    if with_categories:
        return cast("list[tuple[str, str]]", flashes)
    return [message for _, message in flashes]


# Files.


def _send_file_arguments(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Werkzeug's arguments: the caller's and the application's."""
    app = current_app
    if kwargs.get("max_age") is None:
        kwargs["max_age"] = app.get_send_file_max_age
    return {
        **kwargs,
        "environ": request.environ,
        "use_x_sendfile": app.config["USE_X_SENDFILE"],
        "response_class": app.response_class,
        "_root_path": app.root_path,
    }


def send_file(
    path_or_file: os.PathLike[AnyStr] | str | IO[bytes],
    mimetype: str | None = None,
    as_attachment: bool = False,
    download_name: str | None = None,
    conditional: bool = True,
    etag: bool | str = True,
    last_modified: datetime | int | float | None = None,
    max_age: None | int | Callable[[str | None], int | None] = None,
) -> Response:
    """A response with the contents of a file.

    Never give it a path that comes from a client: use :func:`send_from_directory`.
    With ``USE_X_SENDFILE`` the server is told the path and sends the file itself.

    :param path_or_file: a path, relative to the app's root path; or a file open in
        binary mode, at its start.
    :param mimetype: guessed from the name if None.
    :param as_attachment: whether a browser should save rather than show it.
    :param download_name: the name to save as; the file's own if None.
    :param conditional: whether to answer conditional and range requests.
    :param etag: whether to send an ETag, or the one to send.
    :param last_modified: a datetime or seconds since the epoch; the file's if None.
    :param max_age: seconds that a client may keep it, or a function of the path that
        returns them; ``app.get_send_file_max_age`` if None.
    :raises TypeError: if neither *mimetype* nor a name to guess it from is given.
    :raises ValueError: for a file open in text mode.
    """
    return cast(
        "Response",
        werkzeug.utils.send_file(
            **_send_file_arguments(
                {
                    "path_or_file": path_or_file,
                    "mimetype": mimetype,
                    "as_attachment": as_attachment,
                    "download_name": download_name,
                    "conditional": conditional,
                    "etag": etag,
                    "last_modified": last_modified,
                    "max_age": max_age,
                }
            )
        ),
    )


def send_from_directory(
    directory: os.PathLike[str] | str,
    path: os.PathLike[str] | str,
    **kwargs: Any,
) -> Response:
    """A response with a file below a directory; *path* may come from a client.

    :param directory: relative to the app's root path; must not come from a client.
    :param path: the file, relative to *directory*.
    :param kwargs: for :func:`send_file`.
    :raises NotFound: if that is not a file, or lies outside of *directory*.
    """
    return cast(
        "Response",
        werkzeug.utils.send_from_directory(
            directory, path, **_send_file_arguments(kwargs)
        ),
    )


# Blueprints.


@cache
def _split_blueprint_path(name: str) -> list[str]:
    """A nested blueprint's name and those of the blueprints around it, inner first."""
    outer = name.rpartition(".")[0]
    return [name, *_split_blueprint_path(outer)] if outer else [name]


__getattr__ = errors.module_getattr(
    __name__,
    {
        "get_load_dotenv": errors.CLI,
        "get_template_attribute": errors.TEMPLATES,
    },
)
