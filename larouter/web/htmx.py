"""Which one did the browser ask for: the whole page or a fragment of it?"""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, render_template, request


def is_fragment_wanted() -> bool:
    """htmx asks for a fragment, except when it restores a page of the browser's history."""
    headers = request.headers
    return "HX-Request" in headers and "HX-History-Restore-Request" not in headers


def render(page: str, fragment: str | None = None, /, **context: Any) -> Response:
    """Render `page/_fragment.html` for htmx and `page/page.html` for everyone else."""
    if fragment is not None and is_fragment_wanted():
        template = f"{page}/_{fragment}.html"
    else:
        template = f"{page}/page.html"
    response = make_response(render_template(template, **context))
    response.vary.add("HX-Request")
    return response


def go_to(url: str) -> Response:
    """Send the browser to another page. htmx would follow a redirect and swap what it finds."""
    if is_fragment_wanted():
        response = make_response("")
        response.headers["HX-Redirect"] = url
    else:
        response = make_response("", 303)
        response.headers["Location"] = url
    response.vary.add("HX-Request")
    return response
