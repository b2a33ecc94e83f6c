"""Pages from plain functions: text is escaped, `Markup` is not."""

from collections.abc import Iterable

from markupsafe import Markup

from fastdispatch import g
from fastdispatch import get_flashed_messages
from fastdispatch import url_for

from . import security

PAGE = Markup("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Notes</title>
<link rel="icon" href="{icon}">
<link rel="stylesheet" href="{style}">
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header>
<a class="brand" href="{home}">Notes</a>
<nav aria-label="Main">{nav}</nav>
</header>
<main id="main" tabindex="-1">
<h1>{title}</h1>
{messages}
{content}
</main>
</body>
</html>
""")


def page(title: str, *content: str) -> str:
    """Return a whole page."""
    return PAGE.format(
        title=title,
        icon=url_for("static", filename="icon.svg"),
        style=url_for("static", filename="style.css"),
        home=url_for("index"),
        nav=_nav(),
        messages=lines(element("p", m, role="status") for m in get_flashed_messages()),
        content=lines(content),
    )


def _nav() -> Markup:
    if g.get("user") is None:
        return lines(
            [
                link("Log in", url_for("accounts.log_in")),
                link("Sign up", url_for("accounts.sign_up")),
            ]
        )
    return lines(
        [
            link("Statistics", url_for("notes.statistics")),
            link("Export", url_for("notes.export")),
            form(
                url_for("accounts.log_out"),
                element("button", f"Log out {g.user['name']}", class_="quiet"),
            ),
        ]
    )


def lines(parts: Iterable[str]) -> Markup:
    """Join parts, one a line, escaping those that are not `Markup`."""
    return Markup("\n").join(parts)


def element(tag: str, *content: str, **attributes: str | bool | None) -> Markup:
    """Return an element; an attribute set to True stands alone, False leaves it out.

    Python's keywords take a trailing underscore: ``class_``, ``for_``.
    """
    written = Markup("")
    for name, value in attributes.items():
        if value is True:
            written += Markup(" {}").format(name.strip("_"))
        elif value is not None and value is not False:
            written += Markup(' {}="{}"').format(name.strip("_"), value)
    return Markup("<{0}{1}>{2}</{0}>").format(tag, written, lines(content))


def link(text: str, url: str) -> Markup:
    """Return a link."""
    return element("a", text, href=url)


def form(action: str, *content: str, enctype: str | None = None) -> Markup:
    """Return a form that is posted, with the session's CSRF token in it."""
    token = Markup('<input type="hidden" name="csrf_token" value="{}">')
    return element(
        "form",
        token.format(security.csrf_token()),
        *content,
        method="post",
        action=action,
        enctype=enctype,
    )


def text_field(
    label: str,
    name: str,
    value: str = "",
    *,
    type_: str = "text",
    autocomplete: str = "off",
    hint: str = "",
) -> Markup:
    """Return a required input of one line under its label."""
    field = Markup(
        '<input id="{0}" name="{0}" type="{1}" value="{2}"'
        ' autocomplete="{3}"{4} required>'
    ).format(
        name,
        type_,
        value,
        autocomplete,
        Markup(' aria-describedby="{}-hint"').format(name) if hint else "",
    )
    note = element("small", hint, id=f"{name}-hint") if hint else Markup("")
    return element("p", element("label", label, for_=name), field, note)


def text_area(label: str, name: str, value: str = "") -> Markup:
    """Return an input of several lines under its label."""
    # The parser drops a newline right after the tag: one of ours, so none of theirs.
    field = Markup('<textarea id="{0}" name="{0}" rows="8">\n{1}</textarea>')
    return element("p", element("label", label, for_=name), field.format(name, value))
