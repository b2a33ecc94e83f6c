"""Types of what applications hand to fastdispatch: return values and callbacks."""

from __future__ import annotations

from collections.abc import AsyncIterable
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import TYPE_CHECKING
from typing import TypeVar
from typing import Union

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication  # noqa: F401
    from werkzeug.datastructures import Headers  # noqa: F401
    from werkzeug.sansio.response import Response  # noqa: F401

ResponseValue = Union[
    "Response",
    str,
    bytes,
    list[Any],
    # A dict at run time; a TypedDict is only a Mapping to a type checker.
    Mapping[str, Any],
    Iterator[str],
    Iterator[bytes],
    AsyncIterable[str],
    AsyncIterable[bytes],
]
"""What can be a response's body, or is a response. Rule 45."""

HeaderValue = str | list[str] | tuple[str, ...]
"""One header's value or values."""

HeadersValue = Union[
    "Headers",
    Mapping[str, HeaderValue],
    Sequence[tuple[str, HeaderValue]],
]
"""The headers part of a returned tuple."""

ResponseReturnValue = Union[
    ResponseValue,
    tuple[ResponseValue, HeadersValue],
    tuple[ResponseValue, int],
    tuple[ResponseValue, int, HeadersValue],
    "WSGIApplication",
]
"""What a view, a hook that answers or an error handler may return. Rule 45."""

ResponseClass = TypeVar("ResponseClass", bound="Response")
"""Any of Werkzeug's response classes, so that a callback may name its own."""

AppOrBlueprintKey = str | None
"""The key of a hook table: a blueprint's name, or None for the app."""

AfterRequestCallable = (
    Callable[[ResponseClass], ResponseClass]
    | Callable[[ResponseClass], Awaitable[ResponseClass]]
)
BeforeFirstRequestCallable = Callable[[], None] | Callable[[], Awaitable[None]]
BeforeRequestCallable = (
    Callable[[], ResponseReturnValue | None]
    | Callable[[], Awaitable[ResponseReturnValue | None]]
)
TeardownCallable = (
    Callable[[BaseException | None], None]
    | Callable[[BaseException | None], Awaitable[None]]
)
URLDefaultCallable = Callable[[str, dict[str, Any]], None]
URLValuePreprocessorCallable = Callable[[str | None, dict[str, Any] | None], None]
# The argument is Any: a handler names the exception class it is registered for, and
# parameters are contravariant.
ErrorHandlerCallable = (
    Callable[[Any], ResponseReturnValue]
    | Callable[[Any], Awaitable[ResponseReturnValue]]
)
RouteCallable = (
    Callable[..., ResponseReturnValue] | Callable[..., Awaitable[ResponseReturnValue]]
)
