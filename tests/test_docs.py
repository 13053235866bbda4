"""The pages tell the whole truth: what is not documented fails, and so does a broken example.

A fence after `<!-- run -->` is run as it stands, against a real server with the starter model;
only the address and the bearer are those of the test's own server.
"""

import re
import shutil
import stat
import subprocess
import sys
from itertools import chain
from pathlib import Path

import click
import pytest

from larouter.bootstrap import bootstrap
from larouter.cli import larouter
from larouter.config import Settings
from larouter.core.errors import LARouterError
from larouter.web import create_app
from tests.serving import Serving, environment

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    path.relative_to(ROOT).as_posix()
    for path in sorted(
        chain(ROOT.glob("*.md"), ROOT.glob("docs/**/*.md"), ROOT.glob("benchmarks/*.md"))
    )
]
_URL, _BEARER = "http://127.0.0.1:18790", "lr_YOUR_BEARER"
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_RUN = re.compile(r"^<!-- run -->\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r'\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"')
_EXAMPLE_S = 90


def _read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def _source():
    return [path.read_text(encoding="utf-8") for path in ROOT.glob("larouter/**/*.py")]


def _in_source(pattern):
    return {match for text in _source() for match in re.findall(pattern, text)}


DOCS = "\n".join(_read(name) for name in PAGES if name.startswith("docs/"))


def _examples():
    for name in PAGES:
        text = _read(name)
        for match in _RUN.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield pytest.param(match[1], match[2], id=f"{name}:{line}")


EXAMPLES = list(_examples())


def _variables():
    text = _read("larouter/config.py") + _read("larouter/model_settings.py")
    return sorted(set(re.findall(r'"([A-Z][A-Z0-9_]+[A-Z0-9])"', text)))


def _commands(group=larouter, path=("larouter",)):
    """Each command and each of its options, as a person writes them."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        words = (*path, name)
        if isinstance(command, click.Group):
            yield from _commands(command, words)
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                yield " ".join(words), parameter.opts[0]
        yield " ".join(words), " ".join(words)


def _errors(error=LARouterError):
    return {error.code}.union(*(_errors(child) for child in error.__subclasses__()))


def _codes():
    """Codes of classes, of single `raise`s, and those that only a request's row has."""
    return sorted(
        _errors()
        | _in_source(r'\bcode="([a-z_]+)"')
        | _in_source(r"""\berror=["']([a-z_]+)["']""")
        | _in_source(r'\berror="([a-z_]+)" if ')
    )


def _slug(heading):
    """What GitHub makes of a heading's text."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _without_fences(text):
    return _FENCE.sub("", text)


def _links(name):
    for match in _LINK.finditer(_without_fences(_read(name))):
        link = match[1] or match[2]
        if not re.match(r"[a-z]+:", link):
            yield link


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    """Every method and path that the app answers."""
    services = bootstrap(Settings(home=tmp_path_factory.mktemp("routes")))
    try:
        return [
            (method, rule.rule)
            for rule in create_app(services).url_map.iter_rules()
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        ]
    finally:
        services.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Serving(tmp_path_factory.mktemp("docs")) as running:
        yield running


@pytest.fixture(scope="module")
def shell(server, tmp_path_factory):
    """The environment of a person who has just started that server."""
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "larouter"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT / "app.py"}" "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    variables = environment(server.home)
    return {**variables, "PATH": f"{folder}:{variables['PATH']}"}


@pytest.mark.parametrize("variable", _variables())
def test_a_setting_is_documented(variable):
    assert f"`{variable}`" in DOCS


@pytest.mark.parametrize(("command", "words"), sorted(set(_commands())))
def test_a_command_and_its_options_are_documented(command, words):
    rows = [line for line in DOCS.splitlines() if re.match(rf"\| `{command}\b", line)]

    assert any(words in row for row in rows), f"docs/configuration.md says nothing of {words}"


@pytest.mark.parametrize("code", _codes())
def test_an_error_s_code_is_documented(code):
    assert f"`{code}`" in DOCS


@pytest.mark.parametrize("header", sorted(_in_source(r"\bx-larouter-[a-z-]+[a-z]")))
def test_a_header_is_documented(header):
    assert f"`{header}`" in DOCS


def test_a_path_is_documented(rules):
    missing = []
    for method, rule in rules:
        # A static file's path has a version that nobody writes down.
        path = re.sub(r"^/static/.+", "/static/…", re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule))
        # What programs call is written with its method; the page's own paths go without.
        is_called = path.startswith(("/v1", "/api", "/health", "/metrics"))
        wanted = f"`{method} {path}`" if is_called else f"`{path}`"
        if wanted not in DOCS:
            missing.append(wanted)

    assert missing == []


@pytest.mark.parametrize("name", PAGES)
def test_a_link_leads_somewhere(name):
    lost = []
    for link in _links(name):
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        headings = re.findall(r"^#+ (.+)$", _without_fences(_text(target)), re.MULTILINE)
        if not target.exists() or (anchor and anchor not in map(_slug, headings)):
            lost.append(link)

    assert lost == []


def _text(path):
    return path.read_text(encoding="utf-8") if path.suffix == ".md" and path.exists() else ""


def test_every_page_is_in_the_index():
    linked = set(_links("docs/index.md"))

    assert {Path(name).name for name in PAGES if name.startswith("docs/")} - linked == {"index.md"}


def test_the_readme_has_examples_that_run():
    languages = [match[1] for match in _RUN.finditer(_read("README.md"))]

    assert languages == ["sh", "python"]


def test_no_two_examples_make_the_same_project():
    """All examples run beside one server, in the pages' order."""
    made = [name for page in PAGES for name in re.findall(r"projects create (\S+)", _read(page))]

    assert sorted(made) == sorted({*made})


@pytest.mark.slow
@pytest.mark.engine
@pytest.mark.parametrize(("language", "text"), EXAMPLES)
def test_an_example_runs(server, shell, tmp_path, language, text):
    text = text.replace(_URL, server.url).replace(_BEARER, server.bearer)
    # curl alone is content with an error's JSON, and outlives a shell that is killed.
    text = text.replace("curl ", f"curl --fail-with-body -sS --noproxy '*' -m {_EXAMPLE_S} ")
    if "curl" in text and shutil.which("curl") is None:
        pytest.skip("no curl here")
    command = {"sh": ["sh", "-euc", text], "python": [sys.executable, "-c", text]}[language]

    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=shell,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_EXAMPLE_S + 5,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip() != ""
