"""`larouter keys`, with and without a server."""

import pytest

from larouter.cli import keys
from larouter.core.errors import LARouterError

CANARY = "sk-canary-0123456789"

pytestmark = pytest.mark.usefixtures("no_keyring")


def listed(cli, **settings):
    """Provider to where its key comes from."""
    return dict(line.split(maxsplit=1) for line in cli.lines("keys", "list", **settings))


def test_set_list_and_remove(cli):
    kept = cli.run("keys", "set", "openai", stdin=f"{CANARY}\n")
    after = listed(cli)
    removed = cli.lines("keys", "remove", "openai")

    assert kept.stdout.splitlines()[0] == "The key of openai is kept and used from now on."
    assert "encrypted file" in kept.stderr
    assert (after["openai"], after["deepseek"]) == ("encrypted file", "none")
    assert after["ollama"] == "none (and may need none)"
    assert removed == ["Forgot the key of openai."]
    assert listed(cli)["openai"] == "none"
    assert CANARY not in kept.output


def test_the_environment_s_key_goes_first_and_this_is_said(alone):
    here = {"OPENAI_API_KEY": "sk-of-the-environment"}

    kept = alone.run("keys", "set", "openai", stdin=CANARY, **here)
    place = listed(alone, **here)["openai"]
    removed = alone.run("keys", "remove", "openai", **here)

    assert "OPENAI_API_KEY is set where LARouter runs and goes before it" in kept.stderr
    assert "used from now on" not in kept.stdout
    assert place == "environment, which goes before the one that is kept"
    assert "OPENAI_API_KEY is still set" in removed.stderr


@pytest.mark.parametrize(
    ("provider", "stdin", "why"),
    [
        ("openai", "", "No key came in"),
        ("openai", "  \n", "No key came in"),
        ("openai", "two words\n", "a space or a character"),
        ("nobody", CANARY, "no provider 'nobody'"),
    ],
)
def test_what_cannot_be_kept_is_said_so(alone, provider, stdin, why):
    with pytest.raises(LARouterError, match=why) as caught:
        alone.run("keys", "set", provider, stdin=stdin)

    assert CANARY not in str(caught.value)


def test_a_key_is_no_argument(alone):
    with pytest.raises(Exception, match="unexpected extra argument"):
        alone.run("keys", "set", "openai", CANARY)


def test_nothing_to_forget_is_said_so(alone):
    with pytest.raises(LARouterError, match="keeps no key of openai"):
        alone.run("keys", "remove", "openai")


def test_without_a_key_there_is_nothing_to_check(alone):
    assert alone.lines("keys", "check") == [
        "No provider has a key yet. Give one with: larouter keys set PROVIDER"
    ]


def test_a_provider_without_a_key_cannot_be_checked(alone):
    result = alone.run("keys", "check", "openai")

    assert result.stdout == "openai: It has no key yet: larouter keys set openai\n"
    assert result.return_value == 1


@pytest.mark.slow
def test_a_check_says_what_a_key_opens(alone, provider):
    here = {"LAROUTER_CUSTOM_URL": provider.url}

    result = alone.run("keys", "check", **here)

    assert result.stdout.startswith("custom: ")


@pytest.mark.parametrize(
    ("lost", "text"),
    [
        (
            {"model": "a/b", "why": "retired", "successor": "a/c"},
            "a/b is not served any more; ask for a/c instead",
        ),
        ({"model": "a/b", "why": "unlisted", "successor": None}, "a/b is not open to this key"),
    ],
)
def test_a_lost_model_is_one_line(lost, text):
    assert keys._loss(lost) == text
