"""There and back: what an Ollama client says reaches a provider, what that answers comes back."""

import json

from hypothesis import given
from hypothesis import strategies as st

from larouter.wire import sse
from larouter.wire.chat import WIRE
from larouter.wire.ollama import DIALECT
from larouter.wire.ollama.request import read_chat
from larouter.wire.road import Call, Translation

_WORDS = st.text(min_size=1)
_ARGUMENTS = st.dictionaries(_WORDS, st.integers(-(2**53), 2**53) | _WORDS | st.booleans())


@given(
    words=_WORDS,
    asked=st.lists(_ARGUMENTS, min_size=1, max_size=3),
    thoughts=st.lists(_WORDS),
    pieces=st.lists(_WORDS, min_size=1),
    calls=st.lists(_ARGUMENTS, max_size=3),
    counts=st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)),
)
def test_words_calls_and_counts_survive(words, asked, thoughts, pieces, calls, counts):
    history = [{"function": {"name": "f", "arguments": one}} for one in asked]
    messages = [
        {"role": "user", "content": words},
        {"role": "assistant", "content": "", "tool_calls": history},
        *({"role": "tool", "content": words, "tool_name": "f"} for _ in asked),
    ]
    request = read_chat(json.dumps({"model": "auto", "messages": messages}).encode())

    conversation = DIALECT.conversation(request)
    sent = json.loads(WIRE.write(conversation, Call(name="m", stream=True)).body)["messages"]
    road = Translation(WIRE.reader(), DIALECT.writer(request))
    out = road.feed(_answer(thoughts, pieces, calls, counts)) + road.finish(prompt_tokens=0)
    *lines, last = [json.loads(line) for line in out.splitlines()]
    said = [line["message"] for line in lines]

    assert sent[0]["content"] == words
    assert [json.loads(call["function"]["arguments"]) for call in sent[1]["tool_calls"]] == asked
    assert [call["id"] for call in sent[1]["tool_calls"]] == [
        message["tool_call_id"] for message in sent[2:]
    ]
    assert "".join(message["content"] for message in said) == "".join(pieces)
    assert "".join(message.get("thinking", "") for message in said) == "".join(thoughts)
    assert [
        call["function"]["arguments"] for message in said for call in message.get("tool_calls", ())
    ] == calls
    assert (last["prompt_eval_count"], last["eval_count"]) == counts


def _answer(thoughts, pieces, calls, counts):
    deltas: list[dict] = [{"reasoning_content": thought} for thought in thoughts]
    deltas += [{"content": piece} for piece in pieces]
    for index, arguments in enumerate(calls):
        function = {"name": "f", "arguments": json.dumps(arguments)}
        deltas.append({"tool_calls": [{"index": index, "id": f"c{index}", "function": function}]})
    events: list[dict] = [{"choices": [{"delta": delta}]} for delta in deltas]
    events.append({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    usage = {"prompt_tokens": counts[0], "completion_tokens": counts[1]}
    events.append({"choices": [], "usage": usage})
    return b"".join(sse.write(json.dumps(event).encode()) for event in events)
