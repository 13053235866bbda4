import base64
from typing import Any

import pytest

from larouter.core.errors import CannotCarry
from larouter.wire.responses.compaction import item, opened, response, transcript

USER = {"role": "user", "content": "Mend it."}
FINAL = {"id": "resp_1", "created_at": 7, "usage": {"total_tokens": 9}}


def test_a_summary_comes_back_as_a_message():
    message = opened(item("Half is done. é🙂"))

    assert message is not None
    assert message["role"] == "user"
    assert message["content"][0]["text"].endswith("\n\nHalf is done. é🙂")


@pytest.mark.parametrize(
    "sealed",
    [
        None,
        7,
        "gAAAAAB",
        "lar1.anthropic.c2ln",
        "lar1.larouter.%%%",
        "lar1.larouter." + base64.b64encode(b"\xff").decode(),
    ],
)
def test_an_item_of_another_maker_stays_closed(sealed):
    assert opened({"type": "compaction", "encrypted_content": sealed}) is None


def test_the_users_messages_stay_and_one_item_stands_for_the_rest():
    parts = [{"type": "input_text", "text": "And this."}]
    items: list[Any] = [
        USER,
        opened(item("Older.")),
        {"role": "assistant", "content": "Yes"},
        {"type": "message", "role": "user", "content": parts, "id": "msg_1"},
    ]
    answer = response(FINAL, items, "Half is done.")
    *messages, last = answer["output"]

    assert (answer["id"], answer["object"]) == ("resp_1", "response.compaction")
    assert (answer["created_at"], answer["usage"]) == (7, FINAL["usage"])
    assert [message["content"][0]["text"] for message in messages] == ["Mend it.", "And this."]
    assert messages[1]["id"] == "msg_1"
    assert last["type"] == "compaction"
    assert str(opened(last)).endswith("Half is done.'}]}")


def test_a_conversation_is_told_as_text():
    items: list[Any] = [
        USER,
        {"type": "reasoning", "summary": []},
        {"type": "function_call", "call_id": "c", "name": "ls", "arguments": '{"a":1}'},
        {"type": "function_call_output", "call_id": "c", "output": "two files"},
        {"type": "custom_tool_call", "call_id": "d", "name": "patch", "input": "***"},
        {
            "type": "custom_tool_call_output",
            "call_id": "d",
            "output": [{"type": "input_image", "image_url": "data:"}],
        },
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"role": "assistant", "content": None},
    ]

    assert transcript(items) == (
        '[user]\nMend it.\n\n[call of ls]\n{"a":1}\n\n[result]\ntwo files\n\n'
        "[call of patch]\n***\n\n[result]\n[image]\n\n[assistant]\nNo.\n\n[assistant]\n"
    )


def test_what_openai_compacted_cannot_be_told():
    with pytest.raises(CannotCarry):
        transcript([{"type": "compaction", "encrypted_content": "gAAA"}])
