"""Golden vectors, from a provider's own usage to nano-dollars: what it says, how that divides into
buckets, and what it costs at the catalogue's dated price (TRUST B1, B6).

The shapes are those of the official SDKs (openai 3.54.0, anthropic 2.12.0, google-genai 3.4.0) and
of https://api-docs.deepseek.com/api/create-chat-completion; the dollars are the catalogue's, whose
rows name their sources. Every sum is worked out beside it: a dollar for a million tokens is 1,000
nano-dollars for one.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

import larouter
from larouter.core.catalog_toml import read_catalog
from larouter.core.chat import Usage
from larouter.wire.anthropic import usage as anthropic
from larouter.wire.chat import usage as chat
from larouter.wire.gemini import chunk as gemini
from larouter.wire.responses import usage as responses

TOML = (Path(larouter.__file__).parent / "data" / "catalog.toml").read_text("utf-8")
MONDAY = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
"""Between 01:00 and 04:00 on a working day: DeepSeek's peak."""
NOON, SUNDAY = MONDAY.replace(hour=12), MONDAY.replace(day=22)
DECEMBER = MONDAY.replace(month=12, day=1)
MARCH = MONDAY.replace(year=2027, month=3, day=1)


def of_openai(prompt, output, *, cached=0, written=0, audio=0, thought=0):
    return {
        "prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output,
        "prompt_tokens_details": {
            "cached_tokens": cached, "audio_tokens": audio, "cache_write_tokens": written,
        },
        "completion_tokens_details": {
            "reasoning_tokens": thought, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
        },
    }  # fmt: skip


def of_responses(prompt, output, *, cached, brief, long, thought):
    return {
        "input_tokens": prompt, "output_tokens": output, "total_tokens": prompt + output,
        "input_tokens_details": {
            "cached_tokens": cached, "cache_write_tokens": brief + long,
            "cache_write_tokens_details": {"ttl_30m_tokens": brief, "ttl_12h_tokens": long},
        },
        "output_tokens_details": {"reasoning_tokens": thought},
    }  # fmt: skip


# 0.1 in, 0.5 out, 0.01 read, 0.125 kept 30 minutes, 0.25 kept 12 hours; above 272,000: 0.2, 0.75,
# 0.02, 0.25, 0.5. Cached tokens, and those written to the cache, are inside the prompt.
OPENAI = [
    # 19 x 100 + 10 x 500
    (chat.read_usage, of_openai(19, 10), "gpt-6-luna", None, MONDAY,
     Usage(input=19, output=10), 6_900),
    # 22 x 100 + 1,920 x 10 + 64 x 125 + 300 x 500; what was thought is in the 300
    (chat.read_usage, of_openai(2_006, 300, cached=1_920, written=64, thought=128), "gpt-6-luna",
     None, MONDAY,
     Usage(input=22, cache_read=1_920, cache_write_5m=64, output=300, reasoning=128), 179_400),
    # 60 x 100 + 40 x 100 + 5 x 500: sound costs what text does
    (chat.read_usage, of_openai(100, 5, audio=40), "gpt-6-luna", None, MONDAY,
     Usage(input=60, audio=40, output=5), 12_500),
    # 1,000 x 100 + 1,000 x 10 + 1,000 x 125 + 2,000 x 250 + 200 x 500
    (responses.read_usage,
     of_responses(5_000, 200, cached=1_000, brief=1_000, long=2_000, thought=150), "gpt-6-luna",
     None, MONDAY,
     Usage(input=1_000, cache_read=1_000, cache_write_5m=1_000, cache_write_1h=2_000, output=200,
           reasoning=150), 835_000),
    # 272,000 tokens of prompt are not above 272,000: 272,000 x 10 + 500
    (chat.read_usage, of_openai(272_000, 1, cached=272_000), "gpt-6-luna", None, MONDAY,
     Usage(cache_read=272_000, output=1), 2_720_500),
    # 1 x 200 + 272,000 x 20 + 750
    (chat.read_usage, of_openai(272_001, 1, cached=272_000), "gpt-6-luna", None, MONDAY,
     Usage(input=1, cache_read=272_000, output=1), 5_440_950),
    # 6,900 x 0.5, x 0.5, x 2
    (chat.read_usage, of_openai(19, 10), "gpt-6-luna", "batch", MONDAY,
     Usage(input=19, output=10), 3_450),
    (chat.read_usage, of_openai(19, 10), "gpt-6-luna", "flex", MONDAY,
     Usage(input=19, output=10), 3_450),
    (chat.read_usage, of_openai(19, 10), "gpt-6-luna", "priority", MONDAY,
     Usage(input=19, output=10), 13_800),
    # 1 x 125 x 0.5 = 62.5, rounded up once
    (chat.read_usage, of_openai(1, 0, written=1), "gpt-6-luna", "batch", MONDAY,
     Usage(cache_write_5m=1), 63),
    # GPT-6.2 Sol, 2 in, 10 out, three times of it at once: (10 x 2,000 + 500 x 10,000) x 3
    (chat.read_usage, of_openai(10, 500, thought=480), "gpt-6.2-sol", "ultrafast", MONDAY,
     Usage(input=10, output=500, reasoning=480), 15_060_000),
    # … and six times from March 2027 on
    (chat.read_usage, of_openai(10, 500, thought=480), "gpt-6.2-sol", "ultrafast", MARCH,
     Usage(input=10, output=500, reasoning=480), 30_120_000),
    # A service whose rate nobody has read, and a prompt of a length whose price nobody has
    (chat.read_usage, of_openai(10, 500), "gpt-6.2-sol", "flex", MONDAY,
     Usage(input=10, output=500), None),
    (chat.read_usage, of_openai(272_001, 1), "gpt-6.2-astra", None, MONDAY,
     Usage(input=272_001, output=1), None),
    # An embedding, 0.02: 8 x 20
    (chat.read_usage, {"prompt_tokens": 8, "total_tokens": 8, "completion_tokens": 0},
     "text-embedding-3-small", None, MONDAY, Usage(input=8), 160),
    (chat.read_usage, of_openai(0, 0), "gpt-6-luna", None, MONDAY, Usage(), 0),
]  # fmt: skip


def of_anthropic(prompt, output, *, read=0, brief=0, long=0, thought=0):
    return {
        "input_tokens": prompt, "output_tokens": output, "cache_read_input_tokens": read,
        "cache_creation_input_tokens": brief + long,
        "cache_creation": {
            "ephemeral_5m_input_tokens": brief, "ephemeral_1h_input_tokens": long,
        },
        "output_tokens_details": {"thinking_tokens": thought}, "service_tier": "standard",
        "server_tool_use": None, "inference_geo": "global", "speed": "standard",
    }  # fmt: skip


def streamed(events):
    """The usage of a stream: that of its start, and that of its end over it."""
    told = None
    for event in events:
        told = anthropic.latest(told, event)
    return anthropic.read_usage(told)


# Opus 5.5: 4 in, 20 out, 0.2 read, 5 kept 5 minutes, 8 kept an hour. Cached tokens are not in
# `input_tokens`.
ANTHROPIC = [
    # 2,095 x 4,000 + 503 x 20,000
    (anthropic.read_usage, of_anthropic(2_095, 503), "claude-opus-5-5", None, MONDAY,
     Usage(input=2_095, output=503), 18_440_000),
    # 50 x 4,000 + 100,000 x 200 + 148 x 5,000 + 100 x 8,000 + 503 x 20,000
    (anthropic.read_usage, of_anthropic(50, 503, read=100_000, brief=148, long=100),
     "claude-opus-5-5", None, MONDAY,
     Usage(input=50, cache_read=100_000, cache_write_5m=148, cache_write_1h=100, output=503),
     31_800_000),
    # 10 x 4,000 + 1,000 x 20,000; what was thought is in the 1,000
    (anthropic.read_usage, of_anthropic(10, 1_000, thought=900), "claude-opus-5-5", None, MONDAY,
     Usage(input=10, output=1_000, reasoning=900), 20_040_000),
    # 25 x 4,000 + 15 x 20,000: the end's count is the total, not more of it
    (streamed, [of_anthropic(25, 1), {"output_tokens": 15, "input_tokens": None}],
     "claude-opus-5-5", None, MONDAY, Usage(input=25, output=15), 400_000),
    # 18,440,000 x 0.5, x 2
    (anthropic.read_usage, of_anthropic(2_095, 503), "claude-opus-5-5", "batch", MONDAY,
     Usage(input=2_095, output=503), 9_220_000),
    (anthropic.read_usage, of_anthropic(2_095, 503), "claude-opus-5-5", "fast", MONDAY,
     Usage(input=2_095, output=503), 36_880_000),
    # Haiku 5.5, 0.1, 0.5, 0.01; what was read from the cache is of the prompt's length too.
    # 1 x 100 + 99,999 x 10 + 10 x 500
    (anthropic.read_usage, of_anthropic(1, 10, read=99_999), "claude-haiku-5-5", None, MONDAY,
     Usage(input=1, cache_read=99_999, output=10), 1_005_090),
    # Above 100,000 it is 0.5, 2.5, 0.05: 1 x 500 + 100,000 x 50 + 10 x 2,500
    (anthropic.read_usage, of_anthropic(1, 10, read=100_000), "claude-haiku-5-5", None, MONDAY,
     Usage(input=1, cache_read=100_000, output=10), 5_025_500),
    (anthropic.read_usage, of_anthropic(0, 0), "claude-opus-5-5", None, MONDAY, Usage(), 0),
]  # fmt: skip


def of_google(
    prompt, answered, *, cached=0, thought=0, tools=0, spoken=0, shown=0, cached_spoken=0
):
    """A count of zero is not said (protobuf's JSON)."""
    said = {
        "promptTokenCount": prompt, "candidatesTokenCount": answered,
        "cachedContentTokenCount": cached, "thoughtsTokenCount": thought,
        "toolUsePromptTokenCount": tools, "totalTokenCount": prompt + answered + thought + tools,
    }  # fmt: skip
    said = {name: count for name, count in said.items() if count}
    text = prompt - spoken - shown
    details = {"TEXT": text, "AUDIO": spoken, "IMAGE": shown}
    said["promptTokensDetails"] = _details(details)
    if cached:
        kept = {"TEXT": cached - cached_spoken, "AUDIO": cached_spoken}
        said["cacheTokensDetails"] = _details(kept)
    return said


def _details(counts):
    return [{"modality": name, "tokenCount": count} for name, count in counts.items() if count]


def google(said):
    return gemini.read_usage(json.dumps(said).encode())


# Gemini 4 Argon: 2 in, 10 out, 0.1 read in November, twice as much from December on. Cached tokens
# are inside the prompt; thoughts and what tools brought are counted beside it.
GOOGLE = [
    # 46 x 2,000 + (95 + 100) x 10,000
    (google, of_google(46, 95, thought=100), "gemini-4-argon", None, MONDAY,
     Usage(input=46, output=195, reasoning=100), 2_042_000),
    # 46 x 4,000 + 195 x 20,000
    (google, of_google(46, 95, thought=100), "gemini-4-argon", None, DECEMBER,
     Usage(input=46, output=195, reasoning=100), 4_084_000),
    # 904 x 2,000 + 4,096 x 100 + 10 x 10,000
    (google, of_google(5_000, 10, cached=4_096), "gemini-4-argon", None, MONDAY,
     Usage(input=904, cache_read=4_096, output=10), 2_317_600),
    # (100 + 900) x 2,000 + 20 x 10,000
    (google, of_google(100, 20, tools=900), "gemini-4-argon", None, MONDAY,
     Usage(input=1_000, output=20), 2_200_000),
    # 2,042,000 x 1.8, x 0.5, x 0.5
    (google, of_google(46, 95, thought=100), "gemini-4-argon", "PRIORITY", MONDAY,
     Usage(input=46, output=195, reasoning=100), 3_675_600),
    (google, of_google(46, 95, thought=100), "gemini-4-argon", "flex", MONDAY,
     Usage(input=46, output=195, reasoning=100), 1_021_000),
    (google, of_google(46, 95, thought=100), "gemini-4-argon", "batch", MONDAY,
     Usage(input=46, output=195, reasoning=100), 1_021_000),
    # A picture costs what text does: (258 + 10) x 2,000 + 10,000
    (google, of_google(268, 1, shown=258), "gemini-4-argon", None, MONDAY,
     Usage(input=10, image=258, output=1), 546_000),
    # 2.5 Flash, sound at 1: 100 x 300 + 1,000 x 1,000 + 10 x 2,500
    (google, of_google(1_100, 10, spoken=1_000), "gemini-2.5-flash", None, MONDAY,
     Usage(input=100, audio=1_000, output=10), 1_055_000),
    # Sound from the cache is cached text to us (the row's note says so):
    # 100 x 300 + 400 x 1,000 + 600 x 30 + 10 x 2,500
    (google, of_google(1_100, 10, spoken=1_000, cached=600, cached_spoken=600),
     "gemini-2.5-flash", None, MONDAY,
     Usage(input=100, audio=400, cache_read=600, output=10), 473_000),
    # 2.5 Pro up to 200,000 tokens, cached ones included:
    # 150,000 x 1,250 + 50,000 x 125 + 8 x 10,000
    (google, of_google(200_000, 8, cached=50_000), "gemini-2.5-pro", None, MONDAY,
     Usage(input=150_000, cache_read=50_000, output=8), 193_830_000),
    # … and above: 150,001 x 2,500 + 50,000 x 250 + 8 x 15,000
    (google, of_google(200_001, 8, cached=50_000), "gemini-2.5-pro", None, MONDAY,
     Usage(input=150_001, cache_read=50_000, output=8), 387_622_500),
    # An embedding of text at 0.2, sound at 6.5, a picture at 0.45: 10 x 200 + 3 x 6,500 + 2 x 450
    (google, of_google(15, 0, spoken=3, shown=2), "gemini-embedding-2", None, MONDAY,
     Usage(input=10, audio=3, image=2), 22_400),
]  # fmt: skip


def of_deepseek(hit, miss, output, *, thought=0):
    return {
        "prompt_tokens": hit + miss, "completion_tokens": output,
        "total_tokens": hit + miss + output, "prompt_cache_hit_tokens": hit,
        "prompt_cache_miss_tokens": miss, "prompt_tokens_details": {"cached_tokens": hit},
        "completion_tokens_details": {"reasoning_tokens": thought},
    }  # fmt: skip


# Flash at peak hours: 0.3 in, 1.2 out, 0.006 read; outside them half of it.
DEEPSEEK = [
    # 100 x 300 + 900 x 6 + 50 x 1,200
    (chat.read_usage, of_deepseek(900, 100, 50, thought=30), "deepseek-flash", None, MONDAY,
     Usage(input=100, cache_read=900, output=50, reasoning=30), 95_400),
    (chat.read_usage, of_deepseek(900, 100, 50, thought=30), "deepseek-flash", None, NOON,
     Usage(input=100, cache_read=900, output=50, reasoning=30), 47_700),
    (chat.read_usage, of_deepseek(900, 100, 50, thought=30), "deepseek-flash", None, SUNDAY,
     Usage(input=100, cache_read=900, output=50, reasoning=30), 47_700),
    # As older answers of it are, without details: 1 x 300 + 4 x 6 + 1,200
    (chat.read_usage,
     {"prompt_tokens": 5, "completion_tokens": 1, "prompt_cache_hit_tokens": 4,
      "prompt_cache_miss_tokens": 1}, "deepseek-flash", None, MONDAY,
     Usage(input=1, cache_read=4, output=1), 1_524),
    # V4 Pro, 1.32 in, 3.96 out: 16 x 1,320 + 10 x 3,960; half of it
    (chat.read_usage, of_deepseek(0, 16, 10), "deepseek-v4-pro", None, MONDAY,
     Usage(input=16, output=10), 60_720),
    (chat.read_usage, of_deepseek(0, 16, 10), "deepseek-v4-pro", None, NOON,
     Usage(input=16, output=10), 30_360),
]  # fmt: skip


def _id(row):
    return "-".join(filter(None, (row[2], row[3], f"{row[4]:%m-%d-%H}", str(row[6]))))


GOLDEN = [*OPENAI, *ANTHROPIC, *GOOGLE, *DEEPSEEK]


@pytest.mark.parametrize("row", GOLDEN, ids=_id)
def test_what_a_provider_says_is_charged_to_the_nanodollar(row):
    read, said, model, service, at, usage, nusd = row

    # Whose service it was is another question (tests/wire); these are the buckets.
    assert replace(read(said), service=None) == usage
    price = read_catalog(TOML, today=date(at.year, at.month, at.day)).models[model].price
    assert price.cost(read(said), at=at, service=service) == nusd


def test_a_local_model_costs_nothing():
    price = read_catalog(TOML, today=MONDAY.date()).models["gemma-4-e4b"].price

    assert price.cost(Usage(input=10**6, output=10**6), at=MONDAY) == 0
