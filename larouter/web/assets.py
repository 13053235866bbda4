"""Static files under addresses that change with their content, and the pages' headers (TRUST S5).

One hash covers the whole folder and stands in front of every path, so relative addresses between
the files (a module's import, a stylesheet's image) need no rewriting and are as immutable.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from flask import Blueprint, Flask, Response, abort

CSP = (
    "default-src 'self'; script-src 'self'; img-src 'self' data: blob:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_HEADERS = (
    ("Content-Security-Policy", CSP),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
)
_YEAR_S = 365 * 24 * 3600
# What is served, and as what: Python's own guess asks the registry on Windows, where a script may
# be text/plain, and with nosniff it would not run.
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def install(app: Flask, root: Path) -> None:
    """Serve the files below `root`, read once, and give templates `asset("css/base.css")`."""
    files = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.suffix in _TYPES
    }
    version = _hash_of(files)
    page = Blueprint("static", __name__)

    @page.get(f"/static/{version}/<path:name>")
    def file(name: str) -> Response:
        if name not in files:
            abort(404)
        response = Response(files[name], mimetype=_TYPES[Path(name).suffix])
        response.headers["Cache-Control"] = f"public, max-age={_YEAR_S}, immutable"
        return response

    page.after_request(secure)
    app.register_blueprint(page)

    @app.template_global()
    def asset(name: str) -> str:
        return f"/static/{version}/{name}"


def secure(response: Response) -> Response:
    """Add the headers that every answer for a browser carries; nothing of it is stored."""
    response.headers.extend(_HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _hash_of(files: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256()
    for name, content in files.items():
        whole.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return whole.hexdigest()[:16]
