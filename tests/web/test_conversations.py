"""Conversations over the whole app: who answers which turn, and how a client names one."""

from __future__ import annotations

import json

import pytest

from larouter.core.errors import BadRequest
from larouter.web.conversations import LONGEST, NAMES, session_of
from tests.clouds.anthropic import AnthropicCloud
from tests.clouds.openai import OpenAICloud

CHAT = "/v1/chat/completions"
HARD = "Prove that there are infinitely many primes."
EASY = "What is 2 + 2?"
SESSION = "ab08c641-3ced-489d-8feb-bd9f0e68ac8e"
TIERS = {
    "HEARTBEAT": "custom/plain",
    "SIMPLE": "openai/gpt-6-luna",
    "MODERATE": "openai/gpt-6.1-terra",
    "COMPLEX": "openai/gpt-6.2-sol",
    "FRONTIER": "anthropic/claude-opus-5-5",
}
FILES = [
    {"type": "function", "function": {"name": "read", "parameters": {"type": "object"}}},
]


@pytest.fixture
def start(open_house, provider):
    """Starts a house whose tiers are all answered at once, each by a model of its own."""
    with OpenAICloud() as openai, AnthropicCloud() as anthropic:

        def start():
            house = open_house(
                LAROUTER_CUSTOM_URL=provider.url,
                OPENAI_API_KEY=openai.key,
                OPENAI_BASE_URL=f"{openai.url}/v1",
                ANTHROPIC_API_KEY=anthropic.key,
                ANTHROPIC_BASE_URL=anthropic.url,
            )
            catalogs = house.services.catalogs
            if catalogs.is_shipped:
                text = _catalogue(catalogs.text)
                catalogs.replace(text, catalogs.preview(text)[0])
            return house

        yield start


@pytest.fixture
def house(start):
    return start()


def _catalogue(text):
    """The shipped one with `TIERS`."""
    head, _, rest = text.partition("[[tier]]")
    models = rest[rest.index("[[model]]") :]
    tiers = "".join(
        f'[[tier]]\nname = "{name}"\ntitle = "{name}"\nmodels = ["{key.partition("/")[2]}"]\n'
        for name, key in TIERS.items()
    )
    plain = (
        '[[model]]\nid = "plain"\nprovider = "custom"\ntitle = "Plain"\nsource = "a page"\n'
        'checked = 2026-11-20\n[[model.price]]\ninput = "0"\noutput = "0"\nsource = "a page"\n'
        "date = 2026-11-20\n"
    )
    return f"{head}{tiers}{plain}{models}"


class Talk:
    """A client that sends its whole history each time."""

    def __init__(self, house, *, bearer=None, **headers):
        self._house = house
        self._bearer = bearer
        self._headers = headers
        self.messages = []

    def say(self, text, **fields):
        """Who answers: the tier, the stage, and the model."""
        self.messages.append({"role": "user", "content": text})
        return self.ask(**fields)

    def ask(self, **fields):
        body = {"model": "auto", "messages": self.messages, **fields}
        response = self._house.ask("POST", CHAT, body, bearer=self._bearer, headers=self._headers)
        assert response.status_code == 200, response.json
        self.reason = response.headers["x-larouter-reason"]
        self.message = response.json["choices"][0]["message"]
        self.messages.append(self.message)
        return tuple(response.headers[f"x-larouter-{name}"] for name in ("tier", "stage", "model"))


def _at(tier, stage="rules"):
    return tier, stage, TIERS[tier]


def test_a_conversation_goes_up_pauses_for_thanks_and_goes_on(house):
    talk = Talk(house)

    assert talk.say(EASY) == _at("SIMPLE")
    assert talk.say(HARD) == _at("FRONTIER")
    assert talk.say("thanks!") == _at("HEARTBEAT")
    assert talk.say("ok, continue") == _at("FRONTIER", "sticky")
    assert talk.reason.startswith("goes on with what came before")
    assert talk.say(HARD + " In another way.") == _at("FRONTIER")


def test_a_loop_of_tools_stays_on_one_model(house):
    talk = Talk(house)
    told = [talk.say(f"{HARD} call read {{}}", tools=FILES)]
    for turn in range(5):
        call = talk.message["tool_calls"][0]
        said = "call read {}" if turn < 4 else "42"
        talk.messages.append({"role": "tool", "tool_call_id": call["id"], "content": said})
        told.append(talk.ask(tools=FILES))

    assert told == [_at("FRONTIER"), *[_at("FRONTIER", "sticky")] * 5]


def test_three_errors_in_a_row_go_one_tier_up(house):
    talk = Talk(house)
    before, *_ = talk.say("Analyse the build, step by step: call read {}", tools=FILES)
    for said in ("Error: no; call read {}", "Error: no; call read {}", "Error: no"):
        call = talk.message["tool_calls"][0]
        talk.messages.append({"role": "tool", "tool_call_id": call["id"], "content": said})
        assert talk.ask(tools=FILES)[:2] == (before, "sticky")

    above = [*TIERS][[*TIERS].index(before) + 1]
    assert talk.say("try again", tools=FILES) == _at(above, "sticky")
    assert talk.reason.startswith("stalled: 3 tool errors in a row")


@pytest.mark.parametrize("name", [name for _, name in NAMES])
def test_a_name_separates_conversations_of_the_same_words(house, name):
    one, other = Talk(house, **{name: "one"}), Talk(house, **{name: "other"})
    one.say(HARD)
    other.messages = one.messages[:]

    assert other.say("go on") != _at("FRONTIER", "sticky")
    assert one.say("go on") == _at("FRONTIER", "sticky")


def test_a_name_holds_a_conversation_whose_history_was_cut(house):
    talk = Talk(house, **{"x-session-id": "mine"})
    talk.say(HARD)
    talk.messages = [{"role": "user", "content": "The story so far"}, *talk.messages[1:]]

    assert talk.say("go on") == _at("FRONTIER", "sticky")


def test_another_project_knows_nothing_of_it(house):
    ours = Talk(house)
    ours.say(HARD)
    project = house.admin("POST", "/api/projects", {"name": "theirs"}).json
    theirs = Talk(house, bearer=project["bearer"])
    theirs.messages = ours.messages[:]

    assert theirs.say("go on") != _at("FRONTIER", "sticky")


def test_a_restart_forgets_and_goes_on(house, start):
    talk = Talk(house, **{"x-session-id": "mine"})
    talk.say(HARD)
    again = Talk(start(), bearer=house.bearer, **{"x-session-id": "mine"})
    again.messages = talk.messages

    assert again.say("go on")[1] != "sticky"
    assert again.say(HARD) == _at("FRONTIER")


def test_a_decision_alone_remembers_nothing(house):
    body = {"messages": [{"role": "user", "content": HARD}]}
    assert house.ask("POST", "/v1/route", body).json["tier"] == "FRONTIER"

    assert len(house.services.conversations) == 0


def test_a_failed_answer_remembers_nothing(house):
    house.ask("POST", CHAT, {"model": "custom/status-400", "messages": []})

    assert len(house.services.conversations) == 0


def test_a_stored_response_is_a_turn_of_its_conversation(house):
    def respond(text, **fields):
        body = {"model": "auto", "input": text, **fields}
        response = house.ask("POST", "/v1/responses", body)
        return response.headers["x-larouter-stage"], response.json["id"]

    _, first = respond(HARD, instructions="Be brief.")
    stage, _ = respond("go on", previous_response_id=first)

    assert stage == "sticky"


# What a client says.


@pytest.mark.parametrize(
    ("environ", "body", "name"),
    [
        ({}, {}, None),
        ({"HTTP_X_SESSION_ID": "a"}, {}, "a"),
        ({"HTTP_X_SESSION_ID": ""}, {}, None),
        ({"HTTP_X_SESSION_ID": "a" * LONGEST}, {}, "a" * LONGEST),
        ({"HTTP_X_SESSION_AFFINITY": "b", "HTTP_X_SESSION_ID": "a"}, {}, "a"),
        ({"HTTP_THREAD_ID": "t", "HTTP_SESSION_ID": "s"}, {}, "t"),
        ({"HTTP_X_CLAUDE_CODE_SESSION_ID": SESSION}, {}, SESSION),
        (
            {"HTTP_X_CLAUDE_CODE_SESSION_ID": "s", "HTTP_X_CLAUDE_CODE_AGENT_ID": "explorer"},
            {},
            "s/explorer",
        ),
        (
            {"HTTP_X_CLAUDE_CODE_SESSION_ID": "s", "HTTP_X_CLAUDE_CODE_AUXILIARY_TYPE": "title"},
            {},
            "s/title",
        ),
        (
            {},
            {"metadata": {"user_id": json.dumps({"device_id": "d", "session_id": SESSION})}},
            SESSION,
        ),
        ({}, {"metadata": {"user_id": f"user_ab12_account__session_{SESSION}"}}, SESSION),
        ({"HTTP_X_SESSION_ID": "a"}, {"metadata": {"user_id": f"u_session_{SESSION}"}}, "a"),
        ({}, {"metadata": {"user_id": "somebody"}}, None),
        ({}, {"metadata": {"user_id": 7}}, None),
        ({}, {"metadata": {}}, None),
        ({}, {"metadata": "x"}, None),
        ({}, {"metadata": {"user_id": "{"}}, None),
        ({}, {"metadata": {"user_id": '{"session_id": ""}'}}, None),
        ({}, {"metadata": {"user_id": '{"session_id": 7}'}}, None),
    ],
)
def test_the_name_of_a_conversation(environ, body, name):
    assert session_of(environ, body) == name


@pytest.mark.parametrize("value", ["a" * (LONGEST + 1), "a\tb", "a\x00"])
@pytest.mark.parametrize(("key", "name"), NAMES)
def test_an_odd_name_is_refused(key, name, value):
    with pytest.raises(BadRequest, match=f"^{name} has at most {LONGEST} printable characters"):
        session_of({key: value}, {})
