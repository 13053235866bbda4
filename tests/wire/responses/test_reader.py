import json
from pathlib import Path

import pytest

from larouter.core.chat import Usage
from larouter.core.conversation import Opaque, Text, Thinking, ToolCall
from larouter.core.errors import UpstreamError
from larouter.core.events import Finished, Folded, Sealed, Started, TextDelta, ThinkingDelta
from larouter.wire import sse
from larouter.wire.responses.reader import Reader, failure

STREAMS = Path(__file__).parent.parent / "streams" / "responses"
USAGE = Usage(input=16, cache_read=16, cache_write_5m=8, output=30, reasoning=12)
THOUGHT = Thinking(
    text="**Counting**\n\nOne é🙂\n\nTwo", opaque=Opaque("responses", "gAAAAABo-é=="), id="rs_0c1f"
)
READ = {
    "text": (
        (THOUGHT, Text(text='Grüße 🙂 – {"type":"response.completed"} is text.')),
        Finished("stop", USAGE),
    ),
    "tools": (
        (
            THOUGHT,
            ToolCall(id="call_a", name="weather", arguments='{"city":"Malmö 🙂"}'),
            ToolCall(
                id="call_b", name="apply_patch", arguments="*** Begin Patch\n+é\n", custom=True
            ),
        ),
        Finished("tool_calls", USAGE),
    ),
    "incomplete": ((Text(text="One two"),), Finished("length", USAGE)),
}


def recorded(name):
    return (STREAMS / f"{name}.sse").read_bytes()


def read(stream, cut=None):
    reader, splitter, answer = Reader(), sse.EventSplitter(), Folded()
    pieces = [stream] if cut is None else [stream[:cut], stream[cut:]]
    for piece in pieces:
        for event in reader.feed(splitter.feed(piece)):
            answer.add(event)
    return answer, reader.end()


def frame(kind, **fields):
    return sse.write(json.dumps({"type": kind, **fields}).encode())


def item(kind="added", place=0, **fields):
    return frame(f"response.output_item.{kind}", output_index=place, item=fields)


DONE = frame("response.completed", response={"id": "r", "model": "m", "output": []})


@pytest.mark.parametrize("name", READ)
def test_a_recorded_stream_is_read(name):
    answer, finished = read(recorded(name))

    assert (answer.parts, finished) == READ[name]
    assert (answer.id, answer.model) == ("resp_0c1f", "gpt-6.1-terra-2026-08-01")


@pytest.mark.parametrize("name", READ)
def test_a_stream_may_be_cut_at_every_byte(name):
    stream = recorded(name)
    for cut in range(len(stream)):
        answer, finished = read(stream, cut)
        assert (answer.parts, finished) == READ[name], cut


@pytest.mark.parametrize("name", READ)
def test_a_whole_answer_reads_like_its_stream(name):
    last = json.loads(sse.data_of(sse.split(recorded(name))[-1]))
    *events, finished = Reader().whole(json.dumps(last["response"]).encode())

    assert (Folded(events).parts, finished) == READ[name]


@pytest.mark.parametrize("end", ["", "data: [DONE]\n\n", ": a comment\n\n"])
def test_nothing_after_the_last_event_matters(end):
    reader = Reader()
    reader.feed(DONE)

    assert reader.done
    assert reader.feed(end.encode()) == []
    assert reader.end() == Finished("stop", None)


def test_a_failed_stream_is_an_error_with_its_words():
    with pytest.raises(UpstreamError, match="Too fast") as caught:
        read(recorded("failed"))

    assert caught.value.code == "rate_limit_exceeded"


@pytest.mark.parametrize(
    ("said", "text", "code"),
    [
        ({"type": "error", "message": "Oops", "code": None}, "Oops", "upstream_error"),
        ({"error": {"code": "bad"}}, "bad", "bad"),
        ({"response": {"error": {"type": "t"}}, "error": None}, "t", "upstream_error"),
        ({"error": {}, "response": None}, "no message", "upstream_error"),
        ({"error": "plain words"}, "plain words", "upstream_error"),
        ({"error": {"message": "x" * 999, "code": "y" * 999}}, "x" * 500, "upstream_error"),
        (None, "None", "upstream_error"),
    ],
)
def test_a_failure_is_told_in_a_few_words(said, text, code):
    error = failure(said)

    assert error.message == f"The provider broke off: {text}"
    assert error.code == code


@pytest.mark.parametrize(
    "bad",
    [
        b"data: <html>\n\n",
        b'data: {"type":\n\n',
        b"data: []\n\n",
        b'data: {"type":"\xff"}\n\n',
        b'data: {"type":1}\n\n',
    ],
)
def test_a_malformed_event_is_an_error(bad):
    with pytest.raises(UpstreamError):
        Reader().feed(bad)


def test_a_stream_without_its_last_event_was_cut():
    reader = Reader()
    reader.feed(recorded("text").rpartition(b"event: response.completed")[0])

    with pytest.raises(UpstreamError, match="broke off"):
        reader.end()


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b"{}",
        b'{"output": 1}',
        b'{"error": {"message": "No"}, "output": []}',
        b'{"status": "failed", "output": []}',
        b"\xff",
    ],
)
def test_a_200_that_is_no_answer_is_an_error(body):
    with pytest.raises(UpstreamError):
        Reader().whole(body)


def test_two_messages_in_a_row_are_two_paragraphs():
    stream = item(type="message") + frame("response.output_text.delta", delta="One")
    stream += item(type="message", place=1) + frame("response.output_text.delta", delta="Two")

    assert Folded(Reader().feed(stream)).parts == (Text(text="One\n\nTwo"),)


def test_raw_thoughts_of_open_models_are_thoughts():
    stream = frame("response.reasoning_text.delta", delta="Hm")
    whole = {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Hm"}]}
    body = json.dumps({"output": [whole, 7]}).encode()

    assert Reader().feed(stream) == [ThinkingDelta("Hm")]
    assert Reader().whole(body)[:2] == [Started(None, None), ThinkingDelta("Hm")]


def test_a_hidden_thought_is_sealed():
    stream = item("done", type="reasoning", encrypted_content="enc", id=7)

    assert Reader().feed(stream) == [Sealed(Opaque("responses", "enc"), hidden=True)]
    assert Reader().feed(item("done", type="reasoning", encrypted_content=None)) == []


def test_arguments_that_never_streamed_come_with_the_item():
    call = {"type": "function_call", "call_id": "c", "name": "f"}
    stream = item(**call) + item("done", **call, arguments='{"a":1}')

    assert Folded(Reader().feed(stream)).parts == (ToolCall(id="c", name="f", arguments='{"a":1}'),)
    assert Reader().feed(item("done", **call)) == []
    assert len(Reader().feed(item(**call) + item("done", **call))) == 1


@pytest.mark.parametrize("is_whole", [False, True])
def test_a_refusal_is_told(is_whole):
    part = {"type": "refusal", "refusal": "No."}
    response = {"output": [{"type": "message", "content": [part]}], "id": "r", "model": "m"}
    reader = Reader()
    if is_whole:
        *events, last = reader.whole(json.dumps(response).encode())
    else:
        events = reader.feed(frame("response.refusal.delta", delta="No.") + DONE)
        last = reader.end()

    assert Folded(events).refusal == "No."
    assert last == Finished("refusal")


def test_a_filter_is_a_refusal():
    response = {"output": [], "incomplete_details": {"reason": "content_filter"}}

    assert Reader().whole(json.dumps(response).encode())[-1] == Finished("refusal")


@pytest.mark.parametrize(
    "unknown",
    [
        frame("response.web_search_call.searching", output_index=0),
        frame("response.audio.delta", delta="AAAA"),
        frame("response.function_call_arguments.delta", delta="{", output_index=5),
        frame("response.output_text.annotation.added", item={}),
        frame("response.queued", response={"id": "r"}),
        frame("response.completed", response=None),
        frame("response.output_item.other", item={"type": "message"}),
        frame("response.reasoning_summary_part.added", summary_index=1),
    ],
)
def test_unknown_events_are_left_out(unknown):
    reader = Reader()

    assert reader.feed(unknown) == []
    assert not reader.done


def test_the_words_of_one_item_are_one_text():
    stream = item(type="message") + frame("response.output_text.delta", delta="One")
    stream += frame("response.output_text.delta", delta=" more")

    assert Reader().feed(stream) == [TextDelta("One"), TextDelta(" more")]
