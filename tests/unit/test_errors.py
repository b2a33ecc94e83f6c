"""Errors that tell a developer what to do."""

from __future__ import annotations

import io
from contextlib import closing

import pytest
from werkzeug.routing import RequestRedirect
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from fastdispatch import debughelpers
from fastdispatch import errors


def test_out_of_scope_names_what_was_used_and_what_to_do() -> None:
    error = errors.OutOfScopeError("App.jinja_env", errors.TEMPLATES)
    assert str(error) == (
        "'App.jinja_env' is out of scope: fastdispatch has no templates."
        " Use Flask itself for that."
    )
    assert "no command line interface." in str(
        errors.OutOfScopeError("App.cli", errors.CLI)
    )


def test_out_of_scope_attribute_is_absent_for_hasattr() -> None:
    class Thing:
        @property
        def cli(self) -> None:
            raise errors.OutOfScopeAttribute("Thing.cli", errors.CLI)

    assert not hasattr(Thing(), "cli")


def form_request(**kwargs: object) -> Request:
    with closing(EnvironBuilder("/upload?x=1", method="POST", **kwargs)) as builder:  # type: ignore
        return Request(builder.get_environ())


def test_c27_form_data_redirect_names_both_urls() -> None:
    request = form_request(data={"a": "b"})
    redirect = RequestRedirect("http://localhost/upload/?x=1")
    request.routing_exception = redirect  # type: ignore[attr-defined]
    message = str(debughelpers.FormDataRoutingRedirect(request))
    assert "'http://localhost/upload?x=1'" in message
    assert "'http://localhost/upload/?x=1'" in message
    assert "ends with a slash" in message
    redirect.new_url = "http://localhost/elsewhere"
    assert "slash" not in str(debughelpers.FormDataRoutingRedirect(request))


def test_c27_form_data_redirect_is_about_a_redirect() -> None:
    with pytest.raises(AssertionError):
        debughelpers.FormDataRoutingRedirect(form_request())


def test_files_hint_explains_a_missing_enctype() -> None:
    request = form_request(data={"file": "index.txt", "a": "b"})
    debughelpers.attach_files_hint(request)
    with pytest.raises(debughelpers.DebugFilesKeyError) as e:
        request.files["file"]
    assert isinstance(e.value, KeyError)
    assert "no file contents were transmitted" in str(e.value)
    assert "This was submitted: 'index.txt'" in str(e.value)
    assert "'application/x-www-form-urlencoded'" in str(e.value)


def test_files_hint_leaves_the_rest_as_it_is() -> None:
    request = form_request(data={"file": (io.BytesIO(b"text"), "f.txt"), "a": "b"})
    debughelpers.attach_files_hint(request)
    assert request.files["file"].read() == b"text"
    assert "file" in request.files
    assert request.files.get("a") is None
    assert list(request.files) == ["file"]
    with pytest.raises(KeyError) as e:
        request.files["other"]
    assert not isinstance(e.value, debughelpers.DebugFilesKeyError)
    request.close()
