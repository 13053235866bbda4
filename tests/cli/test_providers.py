"""`larouter providers`, with and without a server."""

import subprocess
import sys

import click
import pytest

from larouter.core.errors import LARouterError
from tests.serving import ROOT, environment


def test_add_list_and_remove(cli):
    url = "http://127.0.0.1:9/v1"

    added = cli.lines("providers", "add", "shelf", "--url", url)
    listed = [line.split() for line in cli.lines("providers", "list")]
    removed = cli.lines("providers", "remove", "shelf")

    assert added == [f"Added shelf at {url}: ask for its models as shelf/MODEL."]
    assert ["shelf", "openai", "no", "key", url] in listed
    assert ["deepseek", "openai", "no", "key", "https://api.deepseek.com"] in listed
    assert removed == ["Removed shelf."]
    assert all(not line.startswith("shelf") for line in cli.lines("providers", "list"))


@pytest.mark.slow
def test_a_key_that_was_refused_is_marked_until_it_is_taken(router, provider, at):
    router.chat("custom/status-401")
    refused = _listed(at(router), "custom")
    router.chat("custom/plain")

    assert refused.endswith(f"{provider.url}  its key was refused")
    assert "refused" not in _listed(at(router), "custom")


def _listed(cli, name):
    (line,) = (line for line in cli.lines("providers", "list") if line.startswith(name))
    return line


def test_a_key_is_read_from_a_pipe(alone, no_keyring):
    result = alone.run(
        "providers", "add", "box", "--url", "http://127.0.0.1:9", "--key", stdin="sk-canary\n"
    )
    listed = alone.run("providers", "list").stdout

    assert "encrypted file" in result.stderr
    assert "canary" not in result.output + listed + (alone.home / "keys.json").read_text()
    assert "box          openai     key     http://127.0.0.1:9" in listed.splitlines()


def test_a_pipe_is_left_alone_when_no_key_is_wanted(alone):
    result = alone.run(
        "providers", "add", "box", "--url", "http://127.0.0.1:9", stdin="sk-canary\n"
    )

    assert "larouter keys set box" in result.stderr
    assert not (alone.home / "keys.json").exists()


@pytest.mark.slow
def test_an_open_pipe_does_not_hold_it_up(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "app.py", "providers", "add", "groq"],
        cwd=ROOT,
        env=environment(tmp_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.wait(30) == 0
    finally:
        process.kill()
        out, _ = process.communicate()

    assert out.startswith(b"Added groq at https://api.groq.com/openai/v1: ")


def test_a_key_that_did_not_come_is_said_so(alone):
    with pytest.raises(LARouterError, match="No key came in"):
        alone.run("providers", "add", "box", "--url", "http://127.0.0.1:9", "--key", stdin="")


@pytest.mark.parametrize(
    ("name", "url", "why"),
    [
        ("openai", "http://127.0.0.1:9", "taken by LARouter"),
        ("a b", "http://127.0.0.1:9", "letters, digits and hyphens"),
        ("box", "127.0.0.1:9", "write an address such as"),
    ],
)
def test_what_makes_no_sense_is_said_so(alone, name, url, why):
    with pytest.raises(LARouterError, match=why):
        alone.run("providers", "add", name, "--url", url, stdin="")


def test_a_format_is_one_of_three(alone):
    alone.run("providers", "add", "box", "--wire", "gemini", "--url", "http://h")

    assert "box          gemini     no key  http://h" in alone.lines("providers", "list")
    with pytest.raises(click.BadParameter):
        alone.run("providers", "add", "pot", "--wire", "telepathy", "--url", "http://h")
