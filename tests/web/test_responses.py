"""`/v1/responses` over the whole app, by OpenAI's own client."""

import sqlite3
from contextlib import closing, contextmanager

import httpx2
import openai
import pytest

from tests.clouds.openai import OpenAICloud
from tests.provider import TEXT

OWN = "openai/gpt-6.1-terra"
OTHER = "custom/plain"
BOTH = pytest.mark.parametrize("model", [OWN, OTHER])
TOOL = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}


@pytest.fixture
def cloud():
    with OpenAICloud() as cloud:
        yield cloud


@pytest.fixture
def house(open_house, provider, cloud):
    return open_house(
        LAROUTER_CUSTOM_URL=provider.url,
        OPENAI_API_KEY=cloud.key,
        OPENAI_BASE_URL=f"{cloud.url}/v1",
    )


@pytest.fixture
def sdk(house):
    """OpenAI's client, inside this process: nobody listens."""
    with _client(house, house.bearer) as sdk:
        yield sdk


@contextmanager
def _client(house, bearer):
    http = httpx2.Client(transport=httpx2.WSGITransport(house.client.application))
    with openai.OpenAI(
        base_url="http://127.0.0.1:1/v1", api_key=bearer, max_retries=0, http_client=http
    ) as sdk:
        yield sdk


@pytest.fixture
def create(sdk):
    def ask(given="Hello", model=OTHER, **fields):
        return sdk.responses.create(model=model, input=given, **fields)

    return ask


def words(item):
    return item.content[0].text


def streamed(events):
    """The last response of a stream whose events are numbered without a gap."""
    events = list(events)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[0].type == "response.created"
    return events[-1].response


@BOTH
def test_an_answer(create, model):
    answer = create(model=model)

    assert answer.output_text == ("You said: Hello" if model == OWN else TEXT)
    assert (answer.status, answer.store) == ("completed", True)
    assert answer.usage.total_tokens > 0


@BOTH
def test_a_stream(create, model):
    answer = streamed(create(model=model, stream=True))

    assert answer.output_text == ("You said: Hello" if model == OWN else TEXT)
    assert (answer.status, answer.store) == ("completed", True)


@BOTH
@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_goes_on_from_its_id(create, sdk, model, stream):
    first = create("My name is Ada.", model)
    second = create("Who am I?", model, previous_response_id=first.id, stream=stream)
    second = streamed(second) if stream else second
    third = create("Sure?", model, previous_response_id=second.id)

    assert second.previous_response_id == first.id
    said = sdk.responses.input_items.list(third.id, order="asc").data
    assert [words(item) for item in said if getattr(item, "role", "") == "user"] == [
        "My name is Ada.",
        "Who am I?",
        "Sure?",
    ]
    assert len(said) >= 5


def test_openai_gets_the_whole_history_and_keeps_nothing(create, cloud):
    first = create("call weather {}", OWN, tools=[TOOL])
    call = first.output[-1]
    given = [{"type": "function_call_output", "call_id": call.call_id, "output": "7 degrees"}]
    second = create(given, OWN, tools=[TOOL], previous_response_id=first.id)

    assert second.output_text == "Results: 7 degrees"
    sent = cloud.last.json
    assert (sent["store"], "previous_response_id" in sent) == (False, False)
    assert [item["type"] for item in sent["input"]] == [
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
    ]
    assert cloud.store.responses == {}


def test_a_conversation_may_change_its_model(create, cloud):
    first = create("One", OTHER)
    second = create("Two", OWN, previous_response_id=first.id)
    third = create("Three", OTHER, previous_response_id=second.id)

    assert second.output_text == "You said: Two"
    assert third.output_text == TEXT


def test_items_are_referred_to_by_their_ids(create, cloud):
    first = create("One", OWN)
    message = first.output[-1]
    create([{"type": "item_reference", "id": message.id}, {"role": "user", "content": "Two"}], OWN)

    assert cloud.last.json["input"][0]["content"][0]["text"] == "You said: One"


def test_a_reference_to_nothing_is_refused(create):
    with pytest.raises(openai.BadRequestError) as caught:
        create([{"type": "item_reference", "id": "msg_nobodys"}])

    assert caught.value.code == "item_not_found"


@BOTH
def test_a_stored_response_is_read_again_and_forgotten(create, sdk, model):
    first = create(model=model)

    assert sdk.responses.retrieve(first.id) == first
    sdk.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        sdk.responses.retrieve(first.id)
    with pytest.raises(openai.NotFoundError):
        sdk.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        sdk.responses.input_items.list(first.id)
    with pytest.raises(openai.BadRequestError) as caught:
        create("More", model, previous_response_id=first.id)
    assert caught.value.code == "previous_response_not_found"


@BOTH
@pytest.mark.parametrize("stream", [False, True])
def test_what_shall_not_be_stored_is_not(create, sdk, model, stream):
    answer = create(model=model, store=False, stream=stream)
    answer = streamed(answer) if stream else answer

    assert answer.store is False
    with pytest.raises(openai.NotFoundError):
        sdk.responses.retrieve(answer.id)


def test_another_projects_response_is_unknown(house, create):
    first = create()
    _, bearer = house.services.projects.create("other")

    with _client(house, bearer) as other:
        with pytest.raises(openai.NotFoundError):
            other.responses.retrieve(first.id)
        with pytest.raises(openai.BadRequestError):
            other.responses.create(model=OTHER, input="Hi", previous_response_id=first.id)


def test_input_items_come_in_pages(create, sdk):
    given = [{"role": "user", "content": str(number)} for number in range(5)]
    first = create(given)
    page = sdk.responses.input_items.list(first.id, limit=2)

    assert [words(item) for item in page.data] == ["4", "3"]
    assert page.has_more
    assert [words(item) for item in page] == ["4", "3", "2", "1", "0"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [("?order=asc&limit=1", 1), ("?after=nobody", 0), ("?order=asc", 2)],
)
def test_pages_may_begin_anywhere(house, create, query, ids):
    first = create([{"role": "user", "content": "A"}, {"role": "user", "content": "B"}])
    page = house.ask("GET", f"/v1/responses/{first.id}/input_items{query}").json

    assert len(page["data"]) == ids
    assert page["first_id"] == (page["data"][0]["id"] if ids else None)


@pytest.mark.parametrize("limit", ["0", "101", "x", "-1"])
def test_a_page_has_a_limit(house, create, limit):
    first = create()
    answer = house.ask("GET", f"/v1/responses/{first.id}/input_items?limit={limit}")

    assert (answer.status_code, answer.json["error"]["param"]) == (400, "limit")


@BOTH
def test_a_conversation_is_compacted_and_goes_on(create, sdk, house, model):
    given = [
        {"role": "user", "content": "Mend the roof."},
        {"role": "assistant", "content": "Half is done."},
    ]
    compacted = sdk.responses.compact(model=model, input=given)

    assert [item.type for item in compacted.output] == ["message", "compaction"]
    assert compacted.output[0].content[0].text == "Mend the roof."
    assert compacted.usage.total_tokens > 0
    # The client takes the users' messages for a model's, as it does with OpenAI itself.
    window = [item.to_dict(warnings=False) for item in compacted.output]
    after = create([*window, {"role": "user", "content": "Go on"}], model)
    assert after.output_text == ("You said: Go on" if model == OWN else TEXT)


def test_compacting_says_who_wrote_the_summary(house):
    answer = house.ask("POST", "/v1/responses/compact", {"model": OTHER, "input": "Hi"})

    assert answer.headers["x-larouter-model"] == OTHER


def test_a_stored_conversation_is_compacted_by_its_id(create, sdk, cloud):
    first = create("Mend the roof.", OWN)
    compacted = sdk.responses.compact(model=OWN, previous_response_id=first.id)

    assert compacted.output[0].content[0].text == "Mend the roof."
    assert "You said: Mend the roof." in cloud.last.json["input"]


def test_without_a_summary_there_is_no_compaction(house):
    tool = {"role": "user", "content": "please refuse"}
    answer = house.ask("POST", "/v1/responses/compact", {"model": OWN, "input": [tool]})

    assert (answer.status_code, answer.json["error"]["code"]) == (502, "upstream_error")


def test_tokens_are_counted(sdk):
    counted = sdk.responses.input_tokens.count(model=OTHER, input="How long is this?")

    assert counted.object == "response.input_tokens"
    assert counted.input_tokens > 0


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/v1/responses/resp_1/cancel", {}, 400),
        ("GET", "/v1/responses/resp_1", {}, 404),
        ("GET", "/v1/responses/resp_1?stream=true", {}, 400),
        ("GET", "/v1/responses", {}, 405),
        ("GET", "/v1/responses", {"Upgrade": "websocket"}, 501),
    ],
)
def test_what_there_is_not_is_said(house, method, path, headers, status):
    answer = house.ask(method, path, headers=headers)

    assert answer.status_code == status
    assert set(answer.json["error"]) == {"message", "type", "param", "code"}
    assert house.ask(method, path, headers=headers, bearer=False).status_code == 401


@pytest.mark.parametrize(
    "path", ["/v1/responses", "/v1/responses/compact", "/v1/responses/input_tokens"]
)
@pytest.mark.parametrize("body", [[], {}, {"model": OTHER}, {"model": OTHER, "input": 7}])
def test_a_malformed_request_is_refused(house, path, body):
    answer = house.ask("POST", path, body)

    assert answer.status_code == 400
    assert answer.json["error"]["type"] == "invalid_request_error"


def test_what_cannot_be_stored_is_told(house):
    with closing(sqlite3.connect(house.services.settings.database_file)) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON response BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    body = {"model": OTHER, "input": "Hi"}
    whole = house.ask("POST", "/v1/responses", body)
    stream = house.ask("POST", "/v1/responses", {**body, "stream": True}).text

    assert (whole.status_code, whole.json["error"]["code"]) == (503, "storage_unavailable")
    assert '"type":"response.failed"' in stream
    assert '"type":"response.completed"' not in stream


def test_the_admin_can_have_them_all_forgotten(house):
    id = house.ask("POST", "/v1/responses", {"model": OTHER, "input": "Hi"}).json["id"]

    assert house.ask("DELETE", "/api/projects/default/responses").status_code == 401
    assert house.admin("DELETE", "/api/projects/default/responses").json == {"deleted": 1}
    assert house.ask("GET", f"/v1/responses/{id}").status_code == 404
