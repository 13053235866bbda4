"""How fast each model answers, as measured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis.strategies import booleans, floats, integers, lists, tuples

from larouter.core.catalog import FREE, Model
from larouter.core.pace import Forecast, Pace

LOCAL = Model(id="small", name="small", provider="local", price=FREE)
CLOUD = Model(id="smart", name="smart", provider="cloud")


def _learnt(pace, model=LOCAL, *, prompt=1_000, output=100, first=1.0, total=3.0, **more):
    pace.learn(
        model, prompt_tokens=prompt, output_tokens=output, first_s=first, total_s=total, **more
    )


def _predicted(pace, model=LOCAL, *, prompt=1_000, output=100, hot=True, queued=0):
    return pace.predict(model, prompt, output, hot=hot, queued=queued)


def _forecast(pace, model, *, prompt=1_000, output=100):
    found = pace.forecast(model, prompt, output)
    assert found is not None
    return found


def test_what_was_never_measured_is_not_guessed():
    assert Pace().forecast(LOCAL, 10, 10) is None
    assert _predicted(Pace()) is None


def test_the_same_again_takes_as_long():
    pace = Pace()
    _learnt(pace)

    assert pace.forecast(LOCAL, 1_000, 100) == Forecast(1.0, 3.0, True)
    assert _predicted(pace, output=200).total_s == pytest.approx(5.0)


def test_a_longer_prompt_takes_longer_once_lengths_were_seen():
    pace = Pace()
    for prompt in (100, 4_000, 8_000) * 20:
        _learnt(pace, prompt=prompt, first=0.2 + prompt / 1_000, total=10.2 + prompt / 1_000)

    found = _predicted(pace, prompt=16_000)

    assert found.first_s == pytest.approx(16.2, rel=0.05)
    assert _predicted(pace, prompt=10).first_s == pytest.approx(0.2, abs=0.1)


def test_prompts_of_one_length_say_nothing_of_longer_ones():
    pace = Pace()
    for _ in range(10):
        _learnt(pace, prompt=50, first=0.5)

    assert _predicted(pace, prompt=50_000).first_s == pytest.approx(0.5)


def test_the_newest_count_most():
    pace = Pace()
    for _ in range(10):
        _learnt(pace, first=1.0, total=2.0)
    for _ in range(10):
        _learnt(pace, first=5.0, total=6.0)

    assert _predicted(pace).first_s == pytest.approx(4.6, abs=0.2)


def test_a_cold_model_has_to_be_loaded_first():
    pace = Pace()
    _learnt(pace)
    assert _predicted(pace, hot=False) is None  # nobody has seen it load

    _learnt(pace, first=31.0, total=33.0, was_cold=True)

    assert _predicted(pace, hot=False) == Forecast(31.0, 33.0, False)
    assert _predicted(pace) == Forecast(1.0, 3.0, True)


def test_a_first_answer_that_was_cold_is_all_loading():
    pace = Pace()
    _learnt(pace, first=30.0, total=32.0, was_cold=True)

    assert _predicted(pace, hot=False).first_s >= 30.0


def test_an_answer_that_comes_at_once_has_no_first_word():
    pace = Pace()
    _learnt(pace, first=3.0, total=3.0, streamed=False)
    assert _predicted(pace, output=50) == Forecast(1.5, 1.5, True)

    _learnt(pace, first=30.0, total=30.0, streamed=False, was_cold=True)
    assert _predicted(pace, hot=False) is None  # how much of it was loading?


def test_an_answer_that_comes_at_once_beside_streams():
    pace = Pace()
    _learnt(pace, first=1.0, total=3.0)
    _learnt(pace, first=3.0, total=3.0, streamed=False)

    assert _predicted(pace) == Forecast(1.0, 3.0, True)


def test_an_answer_without_tokens_says_nothing_of_their_pace():
    pace = Pace()
    _learnt(pace, output=0)

    assert _predicted(pace) is None


def test_a_queue_is_waited_for_in_rounds():
    pace = Pace()
    _learnt(pace)

    assert _predicted(pace, queued=7).first_s == pytest.approx(1.0)
    assert _predicted(pace, queued=8).first_s == pytest.approx(4.0)
    assert _predicted(pace, queued=16).first_s == pytest.approx(7.0)


def test_a_queue_before_any_hot_answer_is_not_guessed():
    pace = Pace()
    _learnt(pace, first=30.0, total=32.0, was_cold=True)

    assert _predicted(pace, hot=False, queued=8).first_s == _predicted(pace, hot=False).first_s


def test_the_queue_is_what_is_under_way():
    pace = Pace()
    _learnt(pace)
    _learnt(pace, CLOUD)
    for _ in range(8):
        pace.begin(LOCAL)
        pace.begin(CLOUD)

    assert (pace.under_way(LOCAL), _forecast(pace, LOCAL).first_s) == (8, 4.0)
    assert _forecast(pace, CLOUD).first_s == 1.0
    for _ in range(8):
        pace.end(LOCAL)
    assert (pace.under_way(LOCAL), _forecast(pace, LOCAL).first_s) == (0, 1.0)


def test_only_a_local_model_can_be_cold():
    asked = []

    def is_hot(model):
        asked.append(model)
        return False

    pace = Pace(is_hot)
    _learnt(pace)
    _learnt(pace, CLOUD)

    assert (pace.begin(LOCAL), pace.begin(CLOUD)) == (True, False)
    assert pace.forecast(LOCAL, 1, 1) is None
    assert _forecast(pace, CLOUD).hot
    assert asked == [LOCAL, LOCAL]


def test_what_was_measured_first_is_forgotten_first():
    pace = Pace()
    for number in range(1_001):
        _learnt(pace, Model(id=str(number), name=str(number), provider="cloud"))

    oldest, second = (Model(id=name, name=name, provider="cloud") for name in ("0", "1"))
    assert _predicted(pace, oldest) is None
    assert _predicted(pace, second) is not None


@given(
    seen=lists(
        tuples(integers(0, 10**6), integers(0, 10**5), floats(0, 600), floats(0, 600), booleans(),
               booleans()),
        max_size=20,
    ),
    prompt=integers(0, 10**6),
    output=integers(0, 10**5),
    hot=booleans(),
)  # fmt: skip
def test_a_prediction_is_a_time_that_can_be(seen, prompt, output, hot):
    pace = Pace()
    for tokens, said, first, more, cold, streamed in seen:
        _learnt(
            pace, prompt=tokens, output=said, first=first, total=first + more, was_cold=cold,
            streamed=streamed,
        )  # fmt: skip

    found = _predicted(pace, prompt=prompt, output=output, hot=hot)

    assert found is None or 0 <= found.first_s <= found.total_s


def learnt(model=LOCAL):
    pace = Pace()
    for prompt in (100, 2_000):
        pace.learn(model, prompt_tokens=prompt, output_tokens=50, first_s=prompt / 1_000, total_s=3)
    return pace


def test_what_was_measured_is_told_by_length_of_prompt():
    timing = learnt().timing(LOCAL.key)

    assert timing is not None
    assert timing.answers == 2
    assert timing.first_s[100] < timing.first_s[1_000] < timing.first_s[8_000]
    assert timing.tokens_per_s == pytest.approx(50 / 2.52, rel=0.01)
    assert timing.load_s is None
    assert Pace().timing(LOCAL.key) is None


def test_what_was_never_streamed_has_no_first_token():
    pace = Pace()
    pace.learn(LOCAL, prompt_tokens=9, output_tokens=0, first_s=1, total_s=1, streamed=False)

    timing = pace.timing(LOCAL.key)

    assert timing is not None
    assert (timing.first_s, timing.tokens_per_s) == ({}, None)


def test_what_was_measured_outlives_a_restart():
    pace = learnt()
    again = Pace()

    for key, numbers in pace.changes().items():
        again.remember(key, numbers)

    assert again.timing(LOCAL.key) == pace.timing(LOCAL.key)
    assert again.forecast(LOCAL, 500, 50) == pace.forecast(LOCAL, 500, 50)
    assert pace.changes() == again.changes() == {}


@pytest.mark.parametrize(
    "numbers",
    ["", "[]", '{"count": "x"}', '{"first": -1}', '{"prompt": 1e999}', '{"output": -0.1}'],
)
def test_numbers_that_make_no_sense_are_not_remembered(numbers):
    pace = Pace()

    pace.remember("local/x", numbers)

    assert pace.timing("local/x") is None


def test_what_is_measured_now_goes_before_what_was():
    pace = learnt()
    before = pace.timing(LOCAL.key)

    pace.remember(LOCAL.key, '{"count": 9}')

    assert pace.timing(LOCAL.key) == before
