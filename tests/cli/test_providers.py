"""`larouter providers`, with and without a server."""

import pytest

from larouter.core.errors import LARouterError

NO_KEYRING = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}


def test_add_list_and_remove(cli):
    url = "http://127.0.0.1:9/v1"

    added = cli.lines("providers", "add", "shelf", "--url", url, stdin="")
    listed = [line.split() for line in cli.lines("providers", "list")]
    removed = cli.lines("providers", "remove", "shelf")

    assert added == ["Added shelf: ask for its models as shelf/MODEL."]
    assert ["shelf", "openai", "no", "key", url] in listed
    assert ["deepseek", "openai", "no", "key", "https://api.deepseek.com"] in listed
    assert removed == ["Removed shelf."]
    assert all(not line.startswith("shelf") for line in cli.lines("providers", "list"))


def test_a_key_is_read_from_a_pipe(alone):
    result = alone.run(
        "providers", "add", "box", "--url", "http://127.0.0.1:9", stdin="sk-canary\n", **NO_KEYRING
    )
    listed = alone.run("providers", "list", **NO_KEYRING).stdout

    assert "encrypted file" in result.stderr
    assert "canary" not in result.output + listed + (alone.home / "keys.json").read_text()
    assert "box          openai     key     http://127.0.0.1:9" in listed.splitlines()


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


def test_a_wire_that_is_not_spoken_yet_is_said_so(alone):
    with pytest.raises(LARouterError, match="wire must be one of openai"):
        alone.run("providers", "add", "box", "--wire", "anthropic", "--url", "http://h", stdin="")
