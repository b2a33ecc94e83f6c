"""Views as classes."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Collection
from typing import Any
from typing import cast
from typing import ClassVar

from .globals import current_app
from .globals import request
from .typing import ResponseReturnValue
from .typing import RouteCallable

http_method_funcs = frozenset(
    {"get", "post", "head", "options", "delete", "put", "trace", "patch"}
)
"""The method names that :class:`MethodView` looks for."""


class View:
    """A view as a class: override :meth:`dispatch_request`, register :meth:`as_view`.

    ::

        class Hello(View):
            init_every_request = False

            def dispatch_request(self, name):
                return f"Hello, {name}!"

        app.add_url_rule("/hello/<name>", view_func=Hello.as_view("hello"))
    """

    methods: ClassVar[Collection[str] | None] = None
    """The HTTP methods to register for; None for GET, HEAD and OPTIONS."""

    provide_automatic_options: ClassVar[bool | None] = None
    """Whether OPTIONS is answered without calling the view; None to decide as for a
    function. Rule 25."""

    decorators: ClassVar[list[Callable[..., Any]]] = []
    """Decorators of the view function, the first one applied first (innermost)."""

    init_every_request: ClassVar[bool] = True
    """Whether each request gets an instance of its own. With False one instance serves
    all of them: cheaper, but data of a request must then not be kept on ``self``."""

    def dispatch_request(self) -> ResponseReturnValue:
        """Answer the request. Called with the URL's variables as keyword arguments."""
        raise NotImplementedError()

    @classmethod
    def as_view(cls, name: str, *class_args: Any, **class_kwargs: Any) -> RouteCallable:
        """Make a view function of this class.

        :param name: the function's name, hence the default endpoint.
        :param class_args: arguments for the class, as are *class_kwargs*.
        :return: a function whose ``view_class`` is the class that it instantiates.
        """
        view: Any
        if cls.init_every_request:

            def view_of_new_instance(**kwargs: Any) -> Any:
                instance = view.view_class(*class_args, **class_kwargs)
                return current_app.ensure_sync(instance.dispatch_request)(**kwargs)

            view = view_of_new_instance
        else:
            instance = cls(*class_args, **class_kwargs)

            def view_of_one_instance(**kwargs: Any) -> Any:
                return current_app.ensure_sync(instance.dispatch_request)(**kwargs)

            view = view_of_one_instance

        # Decorators see the final name, and what they return may lack it.
        view.__name__ = name
        view.__module__ = cls.__module__
        for decorator in cls.decorators:
            view = decorator(view)
        view.view_class = cls
        view.__name__ = name
        view.__doc__ = cls.__doc__
        view.__module__ = cls.__module__
        view.methods = cls.methods
        view.provide_automatic_options = cls.provide_automatic_options
        return cast(RouteCallable, view)


class MethodView(View):
    """A view with a method for each HTTP method: ``get``, ``post``, ….

    :attr:`methods` is taken from the methods there are, unless the class sets it. HEAD
    falls back to ``get`` (rule 25). ::

        class Counter(MethodView):
            def get(self):
                return str(session.get("counter", 0))

            def post(self):
                session["counter"] = session.get("counter", 0) + 1
                return redirect(url_for("counter"))

        app.add_url_rule("/counter", view_func=Counter.as_view("counter"))
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "methods" in cls.__dict__:
            return
        methods = {name.upper() for name in http_method_funcs if hasattr(cls, name)}
        for base in cls.__bases__:
            methods.update(getattr(base, "methods", None) or ())
        if methods:
            cls.methods = methods

    def dispatch_request(self, **kwargs: Any) -> ResponseReturnValue:
        """Call the method named like the request's, in lower case."""
        name = request.method.lower()
        method = getattr(self, name, None)
        if method is None and name == "head":
            method = getattr(self, "get", None)
        if method is None:
            raise AssertionError(
                f"{type(self).__name__} was registered for {request.method!r} but has"
                f" no method {name!r}."
            )
        return cast(ResponseReturnValue, current_app.ensure_sync(method)(**kwargs))
