"""Static files and the headers of the pages (TRUST S5)."""

import hashlib
import re

import pytest
from flask import Flask, render_template_string

from larouter.config import folder
from larouter.web import assets

STATIC = folder("static")
FILES = sorted(path for path in STATIC.rglob("*") if path.is_file())
STYLES = [path for path in FILES if path.suffix == ".css"]


@pytest.fixture
def root(tmp_path):
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "a.js").write_text("let a")
    (tmp_path / "NOTES.md").write_text("not for browsers")
    return tmp_path


def app_of(root):
    app = Flask(__name__, static_folder=None)
    assets.install(app, root)
    return app


def url_of(app, name):
    with app.app_context():
        return render_template_string("{{ asset(name) }}", name=name)


def test_a_file_is_immutable_under_its_address(root):
    app = app_of(root)

    response = app.test_client().get(url_of(app, "js/a.js"))

    assert response.text == "let a"
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == assets.CSP


def test_the_address_changes_with_the_content(root):
    before = url_of(app_of(root), "js/a.js")
    (root / "js" / "a.js").write_text("let b")

    assert url_of(app_of(root), "js/a.js") != before


@pytest.mark.parametrize("name", ["js/none.js", "../secret", "%2e%2e/secret", "NOTES.md"])
def test_nothing_else_is_served(root, name):
    (root.parent / "secret").write_text("no")
    app = app_of(root)

    assert app.test_client().get(url_of(app, name)).status_code == 404


def test_an_old_address_is_gone(root):
    assert app_of(root).test_client().get("/static/0123456789abcdef/js/a.js").status_code == 404


def test_the_policy_is_the_one_of_s5():
    assert assets.CSP == (
        "default-src 'self'; script-src 'self'; img-src 'self' data: blob:; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    )


def test_all_static_files_together_are_small():
    assert sum(path.stat().st_size for path in FILES) <= 110 * 1024


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_colours_and_pixels_are_tokens(path):
    text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)
    raw = re.findall(r"#[0-9a-fA-F]{3,8}\b(?!:)|\b\d+px\b|\brgb\(", text)

    assert path.name == "tokens.css" or raw == [], raw


def test_vendored_files_are_the_ones_listed():
    listed = (STATIC / "vendor" / "VENDOR.md").read_text(encoding="utf-8")
    scripts = [path for path in FILES if path.parent.name == "vendor" and path.suffix == ".js"]

    assert scripts
    for path in scripts:
        assert path.name in listed
        assert hashlib.sha256(path.read_bytes()).hexdigest() in listed


@pytest.mark.parametrize("path", sorted(folder("templates").rglob("*.html")), ids=str)
def test_no_template_has_inline_script_or_style(path):
    text = path.read_text(encoding="utf-8")

    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\shx-on|\son[a-z]+=", text)
    assert not re.search(r"""(?:src|href|action)=["']https?:""", text)
