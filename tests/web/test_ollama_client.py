"""The official Ollama client against a real server."""

import ollama
import pytest

from tests.provider import TEXT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client(router):
    headers = {"Authorization": f"Bearer {router.bearer}"}
    with ollama.Client(host=router.url, headers=headers, trust_env=False) as client:
        yield client


def weather(city: str) -> str:
    """Say how the weather is in a city.

    Args:
        city: The city
    """
    return f"Fine in {city}."


def test_chat(client):
    answer = client.chat("custom/plain", [{"role": "user", "content": "Hi"}])

    assert answer.message.content == TEXT
    assert (answer.done, answer.done_reason, answer.eval_count) == (True, "stop", 5)
    assert answer.total_duration > 0


def test_a_chat_that_streams(client):
    parts = list(client.chat("custom/plain", [{"role": "user", "content": "Hi"}], stream=True))

    assert "".join(part.message.content for part in parts) == TEXT
    assert [part.done for part in parts].count(True) == 1


def test_generate(client):
    whole = client.generate("custom/plain", "Hi", system="Be kind.", options={"seed": 1})
    parts = list(client.generate("custom/plain", "Hi", stream=True))

    assert whole.response == TEXT
    assert "".join(part.response for part in parts) == TEXT


def test_tools_go_round(client, provider):
    messages = [{"role": "user", "content": "Weather in Rome and Oslo?"}]

    asked = client.chat("custom/tools", messages, tools=[weather]).message
    messages.append(asked)
    for call in asked.tool_calls:
        said = weather(**call.function.arguments)
        messages.append({"role": "tool", "tool_name": call.function.name, "content": said})
    answer = client.chat("custom/plain", messages, tools=[weather])

    assert [call.function.arguments["city"] for call in asked.tool_calls] == ["Rome", "Oslo"]
    assert answer.message.content == TEXT
    sent = provider.last["body"]["messages"]
    assert [call["id"] for call in sent[1]["tool_calls"]] == [
        message["tool_call_id"] for message in sent[2:]
    ]
    assert [message["content"] for message in sent[2:]] == ["Fine in Rome.", "Fine in Oslo."]


def test_models_are_listed_and_shown(client):
    names = [model.model for model in client.list().models]

    assert "auto:latest" in names
    assert client.show("auto:latest").capabilities[0] == "completion"
    assert client.ps().models is not None


def test_errors_are_the_clients_own(client):
    with pytest.raises(ollama.ResponseError, match="llama9") as caught:
        client.chat("llama9", [{"role": "user", "content": "Hi"}])
    assert caught.value.status_code == 404

    with pytest.raises(ollama.ResponseError, match="GPU is on fire"):
        list(client.chat("custom/breaks", [{"role": "user", "content": "Hi"}], stream=True))

    with pytest.raises(ollama.ResponseError) as caught:
        client.pull("llama3")
    assert caught.value.status_code == 501
