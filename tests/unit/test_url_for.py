"""URLs built where the request's own host is of no use."""

from __future__ import annotations

import pytest
from werkzeug.exceptions import BadRequest

from fastdispatch import App
from fastdispatch import url_for


@pytest.mark.parametrize("host", ["elsewhere.example", "a b", '"', "\x8a"])
def test_error_page_of_a_refused_host_has_links(host: str) -> None:
    app = App(__name__)
    app.config["TRUSTED_HOSTS"] = ["here.example"]
    app.add_url_rule("/target", "target", lambda: "")
    app.register_error_handler(
        BadRequest, lambda e: (f"{url_for('target')} {url_for('target', q=1)}", 400)
    )
    response = app.test_client().get(
        "/", "http://here.example/prefix", environ_overrides={"HTTP_HOST": host}
    )
    assert response.status_code == 400
    assert response.text == "/prefix/target /prefix/target?q=1"


def test_external_url_of_a_refused_host_is_that_of_the_server_name() -> None:
    app = App(__name__)
    app.config.update(TRUSTED_HOSTS=["here.example"], SERVER_NAME="here.example")
    app.register_error_handler(
        BadRequest, lambda e: (url_for("static", filename="a", _external=True), 400)
    )
    response = app.test_client().get("/", headers={"Host": "elsewhere.example"})
    assert response.text == "http://here.example/static/a"
