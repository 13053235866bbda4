"""What feedback teaches: a little, in the right direction, within bounds, never past the guard."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from larouter.core.learning import (
    LIMIT,
    MOST,
    WEIGHTS,
    GuardRow,
    Lesson,
    guarded,
    in_words,
    learn,
    read_guard,
)

LESSONS = st.builds(
    Lesson,
    kind=st.sampled_from(sorted(WEIGHTS)),
    score=st.floats(-1, 1),
    need_strong=st.floats(0, 1),
    was_local=st.booleans(),
)


def _bad(kind="thumb", need_strong=0.25, score=-1.0):
    return Lesson(kind=kind, score=score, need_strong=need_strong, was_local=True)


def _good(need_strong=0.25, *, was_local=True):
    return Lesson(kind="thumb", score=1.0, need_strong=need_strong, was_local=was_local)


def test_without_feedback_the_shipped_model_decides():
    assert learn([]) == 0.0


def test_one_thumb_moves_a_little():
    assert 0.05 < learn([_bad()]) < 0.15


def test_a_good_local_answer_pushes_down_less_than_a_bad_one_up():
    assert -learn([_bad()]) < learn([_good()]) < 0


def test_a_cloud_s_answers_teach_almost_nothing():
    good = learn([_good(0.8, was_local=False)] * 10)
    bad = learn([Lesson(kind="thumb", score=-1, need_strong=0.8, was_local=False)] * 10)

    assert 0 < good < 0.02
    assert bad == 0.0


def test_a_surprise_teaches_more_than_what_was_expected():
    assert learn([_bad(need_strong=0.1)]) > learn([_bad(need_strong=0.9)])


def test_half_a_score_is_half_a_word():
    assert 0 < learn([_bad(score=-0.5)]) < learn([_bad()])


def test_kinds_weigh_as_they_are_meant():
    thumb, escalation, regeneration = (
        learn([_bad(kind)]) for kind in ("thumb", "escalation", "regeneration")
    )

    assert thumb > escalation > regeneration > 0


@pytest.mark.parametrize("kind", sorted(MOST))
def test_a_program_that_repeats_itself_teaches_no_more_than_some_thumbs(kind):
    many = learn([_bad(kind)] * 1_000)

    assert many == pytest.approx(learn([_bad()] * int(MOST[kind])), abs=0.01)


def test_much_feedback_reaches_the_bounds_and_no_further():
    assert learn([_bad(need_strong=0.05)] * 500) == LIMIT
    assert learn([_good(need_strong=0.95)] * 500) == -LIMIT


@given(st.lists(LESSONS, max_size=20))
def test_a_bias_is_bounded_and_one_more_complaint_never_lowers_it(lessons):
    before = learn(lessons)
    after = learn([*lessons, _bad()])

    assert -LIMIT <= before <= LIMIT
    assert after >= before


# --- the guard

STRONG = 2


def _choose(row, bias):
    """A router of three tiers, the third strong, that asks need_strong alone."""
    return STRONG if row.need_strong + bias / 10 >= 0.5 else row.tier if row.tier < STRONG else 0


def _row(tier, need_strong):
    return GuardRow(tier=tier, need_strong=need_strong, probabilities=())


def test_without_rows_nothing_is_held_back():
    assert guarded(1.2, (), _choose, STRONG) == 1.2


def test_a_bias_that_does_no_harm_passes():
    rows = [_row(0, 0.1)] * 50 + [_row(STRONG, 0.9)] * 50

    assert guarded(-1.5, rows, _choose, STRONG) == -1.5


@pytest.mark.parametrize(("bias", "accepted"), [(-0.5, -0.5), (-1.2, -0.6), (-1.5, -0.375)])
def test_hard_prompts_are_not_sent_local_for_it(bias, accepted):
    rows = [_row(STRONG, 0.56)] * 100

    assert guarded(bias, rows, _choose, STRONG) == accepted


def test_accuracy_is_not_given_up_for_it():
    rows = [_row(0, 0.45)] * 5 + [_row(STRONG, 0.9)] * 95

    assert guarded(1.0, rows, _choose, STRONG) == 0.25


def test_one_row_in_a_hundred_may_change():
    rows = [_row(STRONG, 0.51)] + [_row(STRONG, 0.9)] * 99

    assert guarded(-1.0, rows, _choose, STRONG) == -1.0


def test_what_always_harms_is_not_learnt_at_all():
    rows = [_row(STRONG, 0.5)] * 100

    assert guarded(-1.5, rows, _choose, STRONG) == 0.0


def test_the_guard_s_file_is_numbers_only():
    rows = read_guard(
        json.dumps([[4, 0.93, 0.0, 0.01, 0.04, 0.25, 0.7], [0, 0, 1, 0, 0, 0, 0]]).encode()
    )

    assert rows == (
        GuardRow(tier=4, need_strong=0.93, probabilities=(0.0, 0.01, 0.04, 0.25, 0.7)),
        GuardRow(tier=0, need_strong=0.0, probabilities=(1.0, 0.0, 0.0, 0.0, 0.0)),
    )


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[[1]]", b'[["a",1,1,1,1,1,1]]', b"[[1,1,1,1,1,1,1,1]]"]
)
def test_another_file_is_no_guard(data):
    with pytest.raises(msgspec.MsgspecError):
        read_guard(data)


@pytest.mark.parametrize(
    ("bias", "feedback", "words"),
    [
        (0.0, {}, "Nothing was learnt yet: the shipped model decides."),
        (0.21, {"thumb": 3}, "3 thumbs, bias +0.21: strong models are asked a little sooner."),
        (-0.9, {"thumb": 1, "escalation": 2},
         "1 thumb, 2 escalations, bias -0.90: strong models are asked later."),
        (0.01, {"regeneration": 1},
         "1 repeated question, bias +0.01: the shipped model decides as before."),
    ],
)  # fmt: skip
def test_what_was_learnt_is_a_sentence(bias, feedback, words):
    assert in_words(bias, feedback) == words
