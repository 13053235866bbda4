"""The official Anthropic client against a real server."""

import anthropic
import pytest

from tests.provider import TEXT
from tests.serving import user

pytestmark = pytest.mark.slow

TOOL = {
    "name": "weather",
    "description": "Say how the weather is in a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}


@pytest.fixture(scope="module")
def client(router):
    with anthropic.DefaultHttpxClient(trust_env=False) as http:
        yield anthropic.Anthropic(
            base_url=router.url, api_key=router.bearer, max_retries=0, http_client=http
        )


@pytest.fixture
def ask(client):
    def create(model="custom/plain", messages=None, **fields):
        fields = {"max_tokens": 100, "messages": messages or user("Hi"), **fields}
        return client.messages.create(model=model, **fields)

    return create


def test_a_message(ask):
    message = ask(system="Be kind.")

    assert message.content[0].text == TEXT
    assert message.stop_reason == "end_turn"
    assert message.usage.output_tokens == 5


def test_a_message_that_streams(client):
    asked = {"model": "custom/plain", "max_tokens": 100, "messages": user("Hi")}

    with client.messages.stream(**asked) as stream:
        pieces = list(stream.text_stream)
        message = stream.get_final_message()

    assert "".join(pieces) == message.content[0].text == TEXT
    assert len(pieces) > 1
    assert message.stop_reason == "end_turn"
    assert message.usage.output_tokens == 5


def test_tools_go_round(client, ask, provider):
    messages = user("Weather in Rome and Oslo?")

    with client.messages.stream(
        model="custom/tools", max_tokens=100, messages=messages, tools=[TOOL]
    ) as stream:
        asked = stream.get_final_message()
    calls = [block for block in asked.content if block.type == "tool_use"]
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "content": f"Fine in {call.input['city']}"}
        for call in calls
    ]
    turn = [asked.to_param(), {"role": "user", "content": results}]
    answer = ask(messages=[*messages, *turn], tools=[TOOL])

    assert asked.stop_reason == "tool_use"
    assert [call.input["city"] for call in calls] == ["Rome", "Oslo"]
    assert [said["role"] for said in provider.last["body"]["messages"]][-2:] == ["tool", "tool"]
    assert answer.content[0].text == TEXT


def test_tokens_are_counted(client):
    counted = client.messages.count_tokens(model="custom/plain", messages=user("Hi"))

    assert counted.input_tokens > 0


def test_models_are_listed(client):
    names = [model.id for model in client.models.list()]

    assert "auto" in names
    assert client.models.retrieve("auto").type == "model"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"model": "nobody/knows"}, anthropic.NotFoundError),
        ({"max_tokens": -1}, anthropic.BadRequestError),
    ],
)
def test_a_refusal_is_an_exception(ask, fields, kind):
    with pytest.raises(kind):
        ask(**fields)


def test_a_wrong_bearer_is_an_exception(client):
    stranger = client.with_options(api_key="lr_wrong")

    with pytest.raises(anthropic.AuthenticationError):
        stranger.messages.create(model="auto", max_tokens=9, messages=user("Hi"))
