import pytest

from larouter.core.chat import Usage
from larouter.wire.responses.usage import read_usage, write_usage


def said(prompt=10, output=5, cached=0, written=0, thought=0):
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": thought},
    }


def test_the_cache_is_inside_the_prompt():
    assert read_usage(said(10, 5, 4, 3, 2)) == Usage(
        input=3, cache_read=4, cache_write_5m=3, output=5, reasoning=2
    )


def test_what_is_kept_for_long_is_told_from_what_is_kept_briefly():
    usage = said(10, 5, 0, 7)
    usage["input_tokens_details"]["cache_write_tokens_details"] = {
        "ttl_12h_tokens": 5, "ttl_30m_tokens": 2,
    }  # fmt: skip
    assert read_usage(usage) == Usage(input=3, cache_write_5m=2, cache_write_1h=5, output=5)

    usage["input_tokens_details"]["cache_write_tokens"] = 4
    assert read_usage(usage) is None


def test_details_may_be_missing():
    assert read_usage({"input_tokens": 1, "output_tokens": 0}) == Usage(input=1)
    assert read_usage(
        {"input_tokens": 1, "output_tokens": 2, "input_tokens_details": None}
    ) == Usage(input=1, output=2)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        [],
        {},
        said(-1),
        said(1.5),
        said(True),
        said(10**12),
        said(output=None),
        said(cached=11),
        said(cached=6, written=6),
        said(thought=6),
        said(thought="2"),
    ],
)
def test_what_cannot_be_true_is_unknown(usage):
    assert read_usage(usage) is None


def test_what_is_written_reads_the_same():
    usage = Usage(input=3, cache_read=4, cache_write_5m=3, output=5, reasoning=2)

    assert read_usage(write_usage(usage)) == usage
    assert write_usage(Usage(cache_write_1h=2))["input_tokens_details"]["cache_write_tokens"] == 2


def test_the_service_is_read_beside_it():
    assert read_usage(said(), "priority") == Usage(input=10, output=5, service="priority")
