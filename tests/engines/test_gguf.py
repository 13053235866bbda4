"""The head of a GGUF file, whole and broken."""

import struct

import pytest

from larouter.engines.files import Files
from larouter.engines.gguf import Head, NotGGUF, read_head
from tests.engines.starter import STARTER


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def pair(key, kind, value):
    return text(key) + struct.pack("<I", kind) + value


CONTEXT = pair("llama.context_length", 4, struct.pack("<I", 8192))
TEMPLATE = pair("tokenizer.chat_template", 8, text("{{ messages }}"))
NAMES = pair("tokenizer.tokens", 9, struct.pack("<IQ", 8, 3) + text("a") + text("bc") + text(""))
SCORES = pair("tokenizer.scores", 9, struct.pack("<IQ2f", 6, 2, 1.0, 2.0))
NAME = pair("general.name", 8, text("x"))
FLAG = pair("general.flag", 7, b"\1")
LONG_CONTEXT = pair("llama.context_length", 10, struct.pack("<Q", 8192))


@pytest.fixture
def head_of(tmp_path):
    def read(*pairs, count=None):
        path = tmp_path / "model.gguf"
        start = b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs) if count is None else count)
        path.write_bytes(start + b"".join(pairs))
        return read_head(path)

    return read


def test_the_starter_model_says_what_it_is(tmp_path):
    path = Files(tmp_path, tmp_path / "verified.json").find(STARTER)
    assert path is not None

    head = read_head(path)

    assert head.context == 8192
    assert head.template.startswith("{% for message in messages %}")


def test_facts_are_found_behind_lists(head_of):
    found = head_of(NAME, FLAG, NAMES, SCORES, TEMPLATE, CONTEXT)

    assert found == Head(context=8192, template="{{ messages }}")


def test_a_silent_file_says_nothing(head_of):
    assert head_of(NAME, FLAG) == Head()


def test_a_context_of_another_width_is_skipped(head_of):
    assert head_of(LONG_CONTEXT, TEMPLATE).template == "{{ messages }}"


@pytest.mark.parametrize("cut", range(1, len(CONTEXT), 7))
def test_a_file_that_ends_early_is_refused(head_of, cut):
    with pytest.raises(NotGGUF):
        head_of(CONTEXT[:-cut])


@pytest.mark.parametrize(
    "broken",
    [
        pair("a", 13, b""),
        pair("a", 9, struct.pack("<IQ", 9, 1)),
        pair("a", 9, struct.pack("<IQ", 8, 2**63)),
        pair("tokenizer.chat_template", 8, struct.pack("<Q", 2**60)),
        struct.pack("<Q", 2**63),
    ],
)
def test_a_length_is_not_believed(head_of, broken):
    with pytest.raises(NotGGUF):
        head_of(broken, count=2)


def test_another_kind_of_file_is_refused(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"<html>not found</html>")

    with pytest.raises(NotGGUF):
        read_head(path)
