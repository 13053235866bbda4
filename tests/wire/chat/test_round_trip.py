"""What a chat request says survives being read and written again, whatever it says."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from larouter.core.conversation import Media, Text, ToolResult, Turn
from larouter.wire.chat.conversation import conversation
from larouter.wire.chat.outbound import write
from larouter.wire.chat.request import read_request
from larouter.wire.road import Call, Quirks
from tests.wire._strategies import ARGUMENTS, CHARACTERS, NAMES

OPENAI = Call(name="m", quirks=Quirks(custom_tools=True))
WORDS = st.text(CHARACTERS, min_size=1, max_size=20)
DATA = st.binary(min_size=1, max_size=9).map(lambda data: data.hex())
SCHEMAS = st.dictionaries(NAMES, st.just({"type": "string"}), max_size=2).map(
    lambda properties: {"type": "object", "properties": properties}
)


def _maybe(**fields):
    """An object in which each field may be missing."""
    return st.fixed_dictionaries({}, optional=fields)


def _wrapped(kind, inner):
    return inner.map(lambda value: {"type": kind, kind: value})


TEXTS = WORDS.map(lambda text: {"type": "text", "text": text})
IMAGES = _wrapped("image_url", st.builds(
    lambda url, rest: {"url": url, **rest},
    DATA.map(lambda data: f"data:image/png;base64,{data}") | st.just("https://a.example/b.png"),
    _maybe(detail=st.sampled_from(["low", "high"])),
))  # fmt: skip
SOUNDS = _wrapped("input_audio", st.fixed_dictionaries(
    {"data": DATA, "format": st.sampled_from(["wav", "mp3"])}
))  # fmt: skip
FILES = _wrapped("file", st.fixed_dictionaries(
    {"file_data": DATA.map(lambda data: f"data:application/pdf;base64,{data}"), "filename": NAMES}
))  # fmt: skip
SAID = WORDS | st.lists(TEXTS | IMAGES | SOUNDS | FILES, min_size=1, max_size=3)
INSTRUCTIONS = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "developer"]), "content": WORDS | st.lists(TEXTS)}
)
QUESTIONS = st.fixed_dictionaries({"role": st.just("user"), "content": SAID})
DETAILS = st.fixed_dictionaries(
    {"type": st.just("reasoning.text"), "text": WORDS, "signature": NAMES, "id": st.none() | NAMES}
) | st.fixed_dictionaries({"type": st.just("reasoning.encrypted"), "data": NAMES})
FUNCTIONS = _wrapped("function", st.builds(
    lambda name, schema, rest: {"name": name, "parameters": schema, **rest},
    NAMES, SCHEMAS, _maybe(description=WORDS, strict=st.booleans()),
))  # fmt: skip
GRAMMARS = st.fixed_dictionaries({"syntax": st.just("lark"), "definition": WORDS}).map(
    lambda grammar: {"type": "grammar", "grammar": grammar}
)
CUSTOMS = _wrapped("custom", st.builds(
    lambda name, rest: {"name": name, **rest},
    NAMES, _maybe(description=WORDS, format=st.just({"type": "text"}) | GRAMMARS),
))  # fmt: skip
FORMS = st.builds(
    lambda name, schema, rest: {"name": name, "schema": schema, **rest},
    NAMES, SCHEMAS, _maybe(strict=st.booleans(), description=WORDS),
).map(lambda schema: {"type": "json_schema", "json_schema": schema})  # fmt: skip
NUMBERS = _maybe(
    max_tokens=st.integers(1, 10**6), temperature=st.floats(0, 2), top_p=st.floats(0, 1),
    top_k=st.integers(1, 100), seed=st.integers(-(2**31), 2**31), stop=WORDS | st.lists(WORDS),
    presence_penalty=st.floats(-2, 2), frequency_penalty=st.floats(-2, 2), user=NAMES,
    reasoning_effort=st.sampled_from(["none", "minimal", "low", "high"]), response_format=FORMS,
)  # fmt: skip


@st.composite
def _answers(draw, place):
    """What the assistant said, and the results of the tools that it called, several at once."""
    message = {"role": "assistant", "content": draw(st.none() | WORDS)}
    if details := draw(st.lists(DETAILS, max_size=2)):
        message["reasoning_details"] = details
    calls = []
    for number in range(draw(st.integers(0, 2))):
        custom = draw(st.booleans())
        said = {"name": draw(NAMES), **({"input": draw(WORDS)} if custom else {})}
        kind = "custom" if custom else "function"
        said |= {} if custom else {"arguments": draw(ARGUMENTS)}
        calls.append({"id": f"call_{place}_{number}", "type": kind, kind: said})
    if calls:
        message["tool_calls"] = calls
    results = [
        {"role": "tool", "tool_call_id": call["id"],
         "content": draw(WORDS | st.tuples(TEXTS, IMAGES).map(list))}
        for call in calls
    ]  # fmt: skip
    return [message, *results]


@st.composite
def requests(draw):
    messages = draw(st.lists(INSTRUCTIONS, max_size=2))
    for place in range(draw(st.integers(0, 3))):
        messages += [
            draw(QUESTIONS),
            *draw(_answers(place)),
            *draw(st.lists(INSTRUCTIONS, max_size=1)),
        ]
    body = {"model": "auto", "messages": [*messages, draw(QUESTIONS)], **draw(NUMBERS)}
    tools = draw(st.lists(FUNCTIONS | CUSTOMS, max_size=3, unique_by=_name))
    if tools:
        named = [{"type": tool["type"], tool["type"]: {"name": _name(tool)}} for tool in tools]
        body["tools"] = tools
        body |= draw(_maybe(tool_choice=st.sampled_from(["auto", "none", "required", *named]),
                            parallel_tool_calls=st.booleans()))  # fmt: skip
    return body


def _name(tool):
    return tool[tool["type"]]["name"]


def _read(body):
    return conversation(read_request(json.dumps(body).encode()))


def _plain(asked):
    """Texts in a row are one text here, and what a tool has shown follows it."""
    turns = tuple(Turn(turn.role, _joined(_moved(turn.parts))) for turn in asked.turns)
    return replace(asked, turns=turns)


def _moved(parts):
    results = [part for part in parts if isinstance(part, ToolResult)]
    shown = [one for result in results for one in result.parts if isinstance(one, Media)]
    texts = [tuple(one for one in result.parts if isinstance(one, Text)) for result in results]
    kept = [replace(result, parts=said) for result, said in zip(results, texts, strict=True)]
    return [*kept, *shown, *(part for part in parts if not isinstance(part, ToolResult))]


def _joined(parts):
    found: list = []
    for part in parts:
        if isinstance(part, Text) and found and isinstance(found[-1], Text):
            part = Text(text=f"{found.pop().text}\n\n{part.text}")
        found.append(part)
    return tuple(found)


@settings(max_examples=150, deadline=None)
@given(requests())
def test_everything_that_a_request_says_is_kept(body):
    asked = _read(body)

    again = _read(json.loads(write(asked, OPENAI).body))

    assert _plain(again) == _plain(asked)
