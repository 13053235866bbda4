"""Tokens in disjoint buckets: Anthropic counts what was cached apart from `input_tokens`."""

import pytest
from msgspec.structs import replace

from larouter.core.chat import Usage
from larouter.wire.anthropic.usage import latest, read_usage, write_usage, write_whole_usage

FULL = {
    "input_tokens": 12,
    "cache_read_input_tokens": 2048,
    "cache_creation_input_tokens": 300,
    "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
    "output_tokens": 21,
    "output_tokens_details": {"thinking_tokens": 20},
}
OURS = Usage(
    input=12, cache_read=2048, cache_write_5m=100, cache_write_1h=200, output=21, reasoning=20
)


@pytest.mark.parametrize(
    ("given", "usage"),
    [
        (FULL, OURS),
        ({"input_tokens": 0, "output_tokens": 0}, Usage()),
        (
            {**FULL, "cache_creation": None},
            Usage(input=12, cache_read=2048, cache_write_5m=300, output=21, reasoning=20),
        ),
        (
            {"input_tokens": 1, "output_tokens": 2, "cache_creation_input_tokens": 3},
            Usage(input=1, output=2, cache_write_5m=3),
        ),
    ],
)
def test_what_was_cached_is_apart(given, usage):
    assert read_usage(given) == usage


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        {},
        {"input_tokens": 1},
        {**FULL, "input_tokens": -1},
        {**FULL, "input_tokens": 1.5},
        {**FULL, "input_tokens": True},
        {**FULL, "output_tokens": 2**40},
        {**FULL, "output_tokens_details": {"thinking_tokens": 22}},
        {**FULL, "cache_creation_input_tokens": 199},
    ],
)
def test_what_cannot_be_true_is_unknown(given):
    assert read_usage(given) is None


def test_a_stream_corrects_its_counts():
    start = {"input_tokens": 12, "output_tokens": 1, "cache_read_input_tokens": 5}
    end = {"input_tokens": None, "output_tokens": 21}

    assert latest(start, end) == {**start, "output_tokens": 21}
    assert latest(None, end) == {"output_tokens": 21}
    assert latest(start, None) == start


def test_what_is_written_reads_the_same():
    assert read_usage(write_whole_usage(OURS)) == replace(OURS, service="standard")


def test_the_end_of_a_stream_says_the_whole_prompt():
    assert write_usage(Usage(input=1, audio=2, image=3, cache_read=4, output=5)) == {
        "input_tokens": 6,
        "cache_read_input_tokens": 4,
        "cache_creation_input_tokens": 0,
        "output_tokens": 5,
        "output_tokens_details": {"thinking_tokens": 0},
    }


@pytest.mark.parametrize(
    ("fields", "service"),
    [
        ({"service_tier": "priority"}, "priority"),
        ({"service_tier": "standard", "speed": "fast"}, "fast"),
        ({"service_tier": "standard", "speed": "standard"}, "standard"),
        ({}, None),
    ],
)
def test_the_service_is_in_the_usage(fields, service):
    assert read_usage({**FULL, **fields}) == replace(OURS, service=service)
