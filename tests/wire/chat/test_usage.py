"""OpenAI's usage and ours."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from larouter.core.chat import Usage
from larouter.wire import sse
from larouter.wire.chat.relay import Relay, read_completion
from larouter.wire.chat.usage import read_usage, write_usage
from tests.fakes import a_request

COUNTS = st.integers(0, 10**8)


def test_usage_as_openai_says_it():
    usage = Usage(
        input=1, cache_read=2, cache_write_5m=3, cache_write_1h=4, output=50, reasoning=6,
        audio=7, image=8,
    )  # fmt: skip

    assert write_usage(usage) == {
        "prompt_tokens": 25,
        "completion_tokens": 50,
        "total_tokens": 75,
        "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 7, "audio_tokens": 7},
        "completion_tokens_details": {"reasoning_tokens": 6},
    }


@settings(max_examples=200, deadline=None)
@given(
    st.builds(
        Usage, input=COUNTS, cache_read=COUNTS, cache_write_5m=COUNTS, audio=COUNTS,
        output=st.integers(100, 10**8), reasoning=st.integers(0, 100),
    )
)  # fmt: skip
def test_usage_comes_back(usage):
    assert read_usage(write_usage(usage)) == usage


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": 1},
        {"prompt_tokens": -1, "completion_tokens": 0},
        {"prompt_tokens": 1.0, "completion_tokens": 0},
        {"prompt_tokens": True, "completion_tokens": 0},
        {"prompt_tokens": 10**10, "completion_tokens": 0},
        {"prompt_tokens": 1, "completion_tokens": 0,
         "prompt_tokens_details": {"cached_tokens": 1, "audio_tokens": 1}},
        {"prompt_tokens": 1, "completion_tokens": 1,
         "completion_tokens_details": {"reasoning_tokens": 2}},
    ],
)  # fmt: skip
def test_what_cannot_be_true_is_not_believed(usage):
    assert read_usage(usage) is None


def test_deepseek_names_its_cache_differently():
    usage = {"prompt_tokens": 5, "completion_tokens": 1, "prompt_cache_hit_tokens": 4}

    assert read_usage(usage) == Usage(input=1, cache_read=4, output=1)


@pytest.mark.parametrize(
    ("said", "service"),
    [
        ("default", "default"), ("Priority", "priority"), ("SERVICE_TIER_FLEX", "flex"),
        (None, None), (7, None), ("x" * 41, None),
    ],
)  # fmt: skip
def test_the_service_is_as_the_provider_names_it(said, service):
    usage = read_usage({"prompt_tokens": 1, "completion_tokens": 2}, said)

    assert usage == Usage(input=1, output=2, service=service)


def test_the_service_is_told_beside_the_usage():
    usage = {"prompt_tokens": 1, "completion_tokens": 2}
    counted = {"id": "c", "choices": [], "usage": usage, "service_tier": "priority"}
    first = {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    relay = Relay(a_request(stream=True))

    for chunk in (first, counted):
        relay.feed(sse.write(json.dumps(chunk).encode()))
    whole, _ = read_completion(json.dumps({**counted, "choices": [{"index": 0}]}).encode())

    assert relay.usage == whole == Usage(input=1, output=2, service="priority")
