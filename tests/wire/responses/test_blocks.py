from larouter.core.conversation import Opaque
from larouter.core.events import ToolStart
from larouter.wire.responses.blocks import Called, Message, Thought, new_id, seal_for
from larouter.wire.responses.names import Named


def said(pairs):
    return [kind.removeprefix("response.") for kind, _ in pairs]


def test_ids_are_long_and_never_twice_the_same():
    assert len({new_id("msg") for _ in range(100)}) == 100
    assert len(new_id("msg")) <= 64


def test_a_signature_names_its_maker_and_its_place():
    assert seal_for(Opaque("gemini", "c2ln"), "call.1") == "lar1.gemini@call.1.c2ln"


def test_a_message_without_a_part_is_empty():
    message = Message(0)

    assert said(message.opening()) == ["output_item.added"]
    assert said(message.closing("completed")) == ["output_item.done"]
    assert message.item("completed")["content"] == []
    assert not message.is_open("output_text")


def test_a_hidden_thought_has_no_summary():
    thought = Thought(2, id="rs_1")

    assert said(thought.closing("completed")) == ["output_item.done"]
    assert thought.item("completed") == {"id": "rs_1", "type": "reasoning", "summary": []}


def test_a_call_is_named_as_the_client_knows_it():
    start = ToolStart(0, "c", "ops__deploy")
    call = Called(1, start, Named("deploy", "ops"))

    assert call.streams
    assert call.item("completed")["namespace"] == "ops"
    assert Called(1, start, None).item("completed")["name"] == "ops__deploy"


def test_a_wrapped_input_waits_until_it_is_whole():
    call = Called(0, ToolStart(0, "c", "patch"), Named("patch", custom=True))
    call.add('{"input":"***"}')

    assert not call.streams
    assert said(call.closing("completed")) == [
        "custom_tool_call_input.delta",
        "custom_tool_call_input.done",
        "output_item.done",
    ]
