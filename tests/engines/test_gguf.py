"""The head of a GGUF file, whole and broken."""

import os
import struct
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from larouter.engines.files import Files
from larouter.engines.gguf import Head, NotGGUF, read_head
from tests.engines.starter import STARTER


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def pair(key, kind, value):
    return text(key) + struct.pack("<I", kind) + value


CONTEXT = pair("llama.context_length", 4, struct.pack("<I", 8192))
TEMPLATE = pair("tokenizer.chat_template", 8, text("{{ messages }}"))
NAMES = pair(
    "tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 3) + text("a") + text("bc") + text("")
)
SCORES = pair("tokenizer.scores", 9, struct.pack("<IQ2f", 6, 2, 1.0, 2.0))
NAME = pair("general.name", 8, text("x"))
FLAG = pair("general.flag", 7, b"\1")
ARCHITECTURE = pair("general.architecture", 8, text("llama"))
LONG_CONTEXT = pair("llama.context_length", 10, struct.pack("<Q", 8192))


@pytest.fixture
def head_of(tmp_path):
    def read(*pairs, count=None, version=3, tensors=(), weights=b""):
        path = tmp_path / "model.gguf"
        counts = (len(tensors), len(pairs) if count is None else count)
        start = b"GGUF" + struct.pack("<IQQ", version, *counts)
        described = start + b"".join((*pairs, *tensors))
        path.write_bytes(described + b"\0" * (-len(described) % 32) + weights)
        return read_head(path)

    return read


def test_the_starter_model_says_what_it_is(tmp_path):
    path = Files(tmp_path, tmp_path / "verified.json").find(STARTER)
    assert path is not None

    head = read_head(path)

    assert replace(head, template="") == Head(
        architecture="llama",
        name="Smollm2 135M 8k Lc100K Mix1 Ep2",
        parameters=134_515_008,
        quantisation="Q4_1",
        context=8192,
        layers=30,
        heads=(9,),
        kv_heads=(3,),
        embedding=576,
        vocabulary=49_152,
        tensors=272,
    )
    assert head.template.startswith("{% for message in messages %}")


def test_facts_are_found_behind_lists(head_of):
    found = head_of(NAME, FLAG, NAMES, SCORES, TEMPLATE, CONTEXT, ARCHITECTURE)

    assert found == Head(
        architecture="llama", name="x", context=8192, template="{{ messages }}", vocabulary=3
    )


def test_a_silent_file_says_nothing(head_of):
    assert head_of(FLAG) == Head()


def test_a_number_may_be_of_any_width(head_of):
    assert head_of(ARCHITECTURE, LONG_CONTEXT).context == 8192


def test_facts_of_another_architecture_are_none_of_its_own(head_of):
    assert head_of(pair("general.architecture", 8, text("gemma4")), CONTEXT).context is None


@pytest.mark.parametrize("cut", range(1, len(CONTEXT), 7))
def test_a_file_that_ends_early_is_refused(tmp_path, cut):
    path = tmp_path / "model.gguf"
    path.write_bytes((b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + CONTEXT)[:-cut])

    with pytest.raises(NotGGUF):
        read_head(path)


def number(key, value, kind=4):
    return pair(f"llama.{key}", kind, struct.pack("<I", value))


def numbers(key, *values):
    packed = struct.pack(f"<IQ{len(values)}I", 4, len(values), *values)
    return pair(f"llama.{key}", 9, packed)


def tensor(*dimensions, kind=0, offset=0, name="w"):
    packed = struct.pack(f"<I{len(dimensions)}Q", len(dimensions), *dimensions)
    return text(name) + packed + struct.pack("<IQ", kind, offset)


def test_what_a_layer_keeps_is_told_for_each(head_of):
    found = head_of(
        ARCHITECTURE,
        number("block_count", 3),
        numbers("attention.head_count_kv", 1, 2, 1),
        number("attention.key_length", 512),
        number("attention.key_length_swa", 256),
        number("attention.sliding_window", 1024),
        pair("llama.attention.sliding_window_pattern", 9, struct.pack("<IQ3?", 7, 3, 1, 0, 1)),
        number("attention.shared_kv_layers", 1),
    )

    assert (found.layers, found.kv_heads, found.shared_kv_layers) == (3, (1, 2, 1), 1)
    assert (found.key_length, found.window_key_length) == (512, 256)
    assert (found.window, found.window_layers) == (1024, (1, 0, 1))


@pytest.mark.parametrize(
    ("fact", "is_embedding"),
    [
        (number("pooling_type", 1), True),
        (number("pooling_type", 0), False),
        (number("pooling_type", 4), False),
        (pair("llama.attention.causal", 7, b"\0"), True),
        (pair("llama.attention.causal", 7, b"\1"), False),
    ],
)
def test_a_model_of_embeddings_is_known_as_one(head_of, fact, is_embedding):
    assert head_of(ARCHITECTURE, fact).is_embedding is is_embedding


def test_a_part_of_a_model_says_so(head_of):
    parts = pair("split.count", 2, struct.pack("<H", 5))

    assert head_of(parts).parts == 5


def test_the_weights_are_counted_and_named(head_of):
    found = head_of(tensors=[tensor(64, 2, kind=2), tensor(4, offset=96)], weights=b"\0" * 112)

    assert (found.parameters, found.quantisation, found.tensors) == (132, "Q4_0", 2)


def test_the_file_s_own_word_for_its_weights_goes_before(head_of):
    kind = pair("general.file_type", 4, struct.pack("<I", 15))

    assert head_of(kind, tensors=[tensor(4)], weights=b"\0" * 16).quantisation == "Q4_K_M"


def test_weights_of_a_kind_that_is_new_are_no_fault(head_of):
    assert head_of(tensors=[tensor(4, kind=99)]).quantisation == ""


@pytest.mark.parametrize(
    "tensors",
    [
        [tensor(64)],
        [tensor(4, offset=2**60)],
        [tensor(2**40, 2**40)],
        [tensor(1, 1, 1, 1, 1)],
        [tensor(4, name="x" * 70_000)],
    ],
    ids=["cut", "far", "huge", "deep", "long"],
)
def test_weights_that_are_not_there_are_refused(head_of, tensors):
    with pytest.raises(NotGGUF):
        head_of(tensors=tensors, weights=b"\0" * 16)


@pytest.mark.parametrize("version", [0, 1, 4, 2**32 - 1])
def test_another_version_is_refused(head_of, version):
    with pytest.raises(NotGGUF, match="version"):
        head_of(version=version)


@pytest.mark.parametrize(
    "facts",
    [
        [number("block_count", 2**31)],
        [numbers("attention.head_count_kv", 1, 2**31)],
        [CONTEXT, CONTEXT],
        [pair("general.alignment", 4, struct.pack("<I", 0))],
        [pair("tokenizer.chat_template", 8, text("x" * 2**20 + "x"))],
        [pair("tokenizer.tokens", 9, struct.pack("<IQ", 8, 5_000_000))],
        [pair("a", 9, struct.pack("<IQ", 6, 2**62))],
    ],
    ids=["layers", "heads", "twice", "alignment", "template", "vocabulary", "list"],
)
def test_facts_that_no_model_has_are_refused(head_of, facts):
    with pytest.raises(NotGGUF):
        head_of(ARCHITECTURE, *facts)


@pytest.mark.parametrize("counts", [(2**60, 0), (0, 2**60), (70_000, 0), (0, 70_000)])
def test_a_count_is_not_believed(tmp_path, counts):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, *counts))

    with pytest.raises(NotGGUF, match="more"):
        read_head(path)


@pytest.fixture(scope="module")
def starter(tmp_path_factory):
    """The head of a real model, and a file of its whole length to try changes of it in."""
    whole = Files(tmp_path_factory.mktemp("none"), tmp_path_factory.mktemp("x") / "y").find(STARTER)
    assert whole is not None
    with whole.open("rb") as file:
        head = file.read(2_000_000)
    path = tmp_path_factory.mktemp("mutants") / "mutant.gguf"
    path.write_bytes(head)
    os.truncate(path, whole.stat().st_size)
    return head, path


@settings(max_examples=150, deadline=5_000, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.one_of(st.integers(0, 2_000), st.integers(0, 1_999_990)),
            st.one_of(
                st.binary(min_size=1, max_size=8),
                st.sampled_from([b"\xff" * 8, b"\0" * 8, b"\xff" * 7 + b"\x7f", b"\x09\0\0\0"]),
            ),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_a_mutant_is_read_or_refused_and_nothing_else(starter, changes):
    head, path = starter
    mutant = bytearray(head)
    for at, content in changes:
        mutant[at : at + len(content)] = content
    with path.open("r+b") as file:
        file.write(mutant)

    try:
        found = read_head(path)
    except NotGGUF:
        return
    assert 0 <= found.parameters < 2**62
    assert len(found.template) <= 2**20


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
