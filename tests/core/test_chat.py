from hypothesis import given
from hypothesis import strategies as st

from larouter.core.chat import Message, Usage

tokens = st.integers(0, 10**9)


# `service` is how it was served, and no number of tokens.
counted = [name for name in Usage.__struct_fields__ if name != "service"]


@given(st.fixed_dictionaries(dict.fromkeys(counted, tokens)))
def test_the_prompt_is_every_bucket_but_the_output(buckets):
    # `reasoning` is no bucket: it is counted in `output`.
    said = buckets["output"] + buckets["reasoning"]

    assert Usage(**buckets).prompt == sum(buckets.values()) - said


def test_nothing_used_is_a_usage_too():
    assert (Usage().prompt, Usage().output) == (0, 0)


def test_a_message_is_a_role_and_a_text():
    assert Message("user", "hello") == ("user", "hello")
