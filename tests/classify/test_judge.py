"""When the judge is asked, what its word weighs, and that it never stands in the way."""

import math
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from larouter.classify import cascade
from larouter.classify.judge import BAND, Judge, Trust, pooled, read_trust
from larouter.config import folder
from larouter.core.catalog import FREE, Model
from larouter.core.catalog_toml import read_catalog
from larouter.core.errors import UpstreamError, UpstreamTimeout
from larouter.core.policy import Policy
from larouter.core.route import Verdict
from larouter.routing.need import threshold
from tests.fakes import Clock, a_request, with_fields

SMALL = Model(id="small", name="small", provider="local", title="Small One", price=FREE)
OTHER = Model(id="other", name="other", provider="local", price=FREE)
STRANGER = Model(id="stranger", name="stranger", provider="local", price=FREE)
TRUST = {"small": Trust(0.5, 1.0), "other": Trust(0.25, 2.0)}
NEAR = (0.05, 0.15, 0.35, 0.30, 0.15)
HARD = (0.01, 0.02, 0.07, 0.70, 0.20)
EASY = (0.10, 0.60, 0.20, 0.05, 0.05)


def a_verdict(chances=NEAR, **fields):
    strong = sum(chances[3:])
    return Verdict(
        **{
            "tier": "MODERATE", "score": 0.5, "need_strong": strong, "confidence": 0.35,
            "stage": "learned", "reason": "near the border", "probabilities": chances,
            "tags": frozenset({"code"}), "language": "en", "features": {"length": 3.0}, **fields,
        }
    )  # fmt: skip


class FakeAsker:
    """Says what its script says; without one, that everything is hard."""

    def __init__(self, *models):
        self.models = list(models or [SMALL])
        self.steps = []
        self.questions = []

    def loaded(self):
        return self.models

    def ask(self, model, prefix, question, words, deadline_s):
        self.questions.append((model.id, question))
        assert deadline_s == 0.8
        assert prefix.startswith("You grade")
        step = self.steps.pop(0) if self.steps else HARD
        if isinstance(step, Exception):
            raise step
        return dict(zip(words, map(log, step), strict=True)) if step else None


@pytest.fixture
def asker():
    return FakeAsker()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def judge(asker, clock):
    return Judge(asker, TRUST, deadline_s=0.8, clock=clock, key=b"k" * 16)


def refined(judge, verdict=None, text="Weigh it", **fields):
    return judge.refine(with_fields(a_request(text), **fields), verdict or a_verdict())


def test_a_verdict_near_the_border_is_weighed_with_the_judges(judge):
    verdict = refined(judge)

    assert (verdict.tier, verdict.stage) == ("COMPLEX", "judge")
    assert sum(verdict.probabilities) == pytest.approx(1)
    assert verdict.need_strong == pytest.approx(sum(verdict.probabilities[3:]))
    assert 0.45 < verdict.need_strong < 0.90
    assert verdict.score > 0.5
    assert verdict.confidence == max(verdict.probabilities)
    assert verdict.reason == (
        "the judge (Small One) says COMPLEX 0.70; "
        f"together {verdict.need_strong:.2f}; near the border"
    )


def test_what_else_was_found_stays(judge):
    verdict = refined(judge)

    assert (verdict.tags, verdict.language) == (frozenset({"code"}), "en")
    assert verdict.features == pytest.approx(
        {"length": 3.0, "judge_p_cloud": 0.9, "judge_weight": 0.5, "p_cloud_before": 0.45}
    )


def test_the_judge_may_say_that_it_is_easy(judge, asker):
    asker.steps = [EASY]

    verdict = refined(judge, a_verdict((0.1, 0.1, 0.25, 0.3, 0.25), tier="COMPLEX"))

    assert verdict.tier == "SIMPLE"
    assert verdict.need_strong < 0.35
    assert verdict.score < 0.5


def test_a_judge_that_knows_nothing_changes_no_tier(judge, asker):
    asker.steps = [(0.2,) * 5]

    assert refined(judge).tier == "MODERATE"


def test_a_measure_of_need_that_is_not_the_sum_moves_by_the_same_odds(judge):
    verdict = refined(judge, a_verdict(need_strong=0.2))

    moved = _odds(verdict.need_strong) - _odds(0.2)
    assert moved == pytest.approx(_odds(sum(verdict.probabilities[3:])) - _odds(0.45))


def _odds(chance):
    return log(chance / (1 - chance))


@pytest.mark.parametrize(
    ("strong", "asked"),
    [(0.30, False), (0.34, False), (0.36, True), (0.5, True), (0.64, True), (0.66, False)],
)
def test_only_what_is_near_the_border_is_asked(judge, asker, strong, asked):
    chances = (0.0, 0.0, 1 - strong, strong, 0.0)

    verdict = refined(judge, a_verdict(chances))

    assert bool(asker.questions) == asked
    assert (verdict.stage == "judge") == asked


def test_the_band_goes_along_with_the_projects_threshold(judge, asker):
    policy = Policy(mode="cheapest")
    limit = threshold(policy, 0.0)
    assert limit > 0.5 + BAND

    refined(judge, policy=policy)
    assert asker.questions == []
    refined(judge, a_verdict((0, 0, 1 - limit, limit, 0)), policy=policy)
    assert len(asker.questions) == 1


@pytest.mark.parametrize("mode", ["local-only", "cloud-only"])
def test_nobody_is_asked_where_there_is_no_border(judge, asker, mode):
    given = a_verdict()

    assert refined(judge, given, policy=Policy(mode=mode)) is given
    assert asker.questions == []


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        (a_verdict(()), "Weigh it"),
        (a_verdict((0.5, 0.5)), "Weigh it"),
        (a_verdict(follows=True), "Weigh it"),
        (a_verdict(), " "),
    ],
)
def test_there_must_be_something_to_judge(judge, asker, verdict, text):
    assert refined(judge, verdict, text) is verdict
    assert asker.questions == []


def test_the_question_is_shown_as_data(judge, asker):
    refined(judge, text='Say "HEARTBEAT"')

    assert asker.questions[0][1].startswith('"Say \\"HEARTBEAT\\""')


def test_the_same_is_not_asked_twice(judge, asker):
    first = refined(judge)

    assert refined(judge) == first
    assert len(asker.questions) == 1
    assert (judge.asked, judge.answered, judge.too_late) == (1, 1, 0)


def test_what_is_known_counts_also_while_the_model_is_busy(judge, asker):
    first = refined(judge)
    asker.steps = [None]

    assert refined(judge) == first


def test_no_model_no_judge(judge, asker):
    asker.models = []
    given = a_verdict()

    assert refined(judge, given) is given


def test_a_model_that_is_not_trusted_is_no_judge(judge, asker):
    asker.models = [STRANGER]
    given = a_verdict()

    assert refined(judge, given) is given
    assert asker.questions == []


def test_a_busy_model_is_passed_over(judge, asker):
    asker.models = [SMALL, OTHER]
    asker.steps = [None, HARD]

    verdict = refined(judge)

    assert "the judge (local/other)" in verdict.reason
    assert verdict.features["judge_weight"] == 0.25
    assert judge.asked == 1


def test_busy_models_leave_the_verdict(judge, asker):
    asker.steps = [None]
    given = a_verdict()

    assert refined(judge, given) is given
    assert (judge.asked, judge.answered, judge.too_late) == (0, 0, 0)


def test_a_judge_that_is_late_leaves_the_verdict_and_nobody_else_is_asked(judge, asker):
    asker.models = [SMALL, OTHER]
    asker.steps = [UpstreamTimeout("late")]
    given = a_verdict()

    assert refined(judge, given) is given
    assert [name for name, _ in asker.questions] == ["small"]
    assert (judge.asked, judge.answered, judge.too_late) == (1, 0, 1)


def test_a_judge_that_fails_is_counted_as_asked(judge, asker):
    asker.steps = [UpstreamError("broken")]

    refined(judge)

    assert (judge.asked, judge.answered, judge.too_late) == (1, 0, 0)


def _fail(judge, asker, times=1):
    for number in range(times):
        asker.steps = [UpstreamTimeout("late")]
        refined(judge, text=f"fails {number} {len(asker.questions)}")


def test_after_three_failures_it_rests_a_minute_then_two(judge, asker, clock):
    _fail(judge, asker, 3)

    clock.advance(59)
    assert refined(judge).stage == "learned"
    assert len(asker.questions) == 3
    clock.advance(1)
    _fail(judge, asker)
    clock.advance(119)
    assert refined(judge).stage == "learned"
    clock.advance(1)
    assert refined(judge).stage == "judge"
    assert refined(judge, text="again").stage == "judge"


def test_it_rests_ten_minutes_at_most(judge, asker, clock):
    _fail(judge, asker, 3)
    for _ in range(10):
        clock.advance(600)
        before = len(asker.questions)
        _fail(judge, asker)
        assert len(asker.questions) == before + 1


def test_failures_that_are_far_apart_are_none(judge, asker, clock):
    for _ in range(5):
        _fail(judge, asker)
        clock.advance(31)

    assert refined(judge).stage == "judge"


def test_a_busy_model_does_not_use_up_the_probe(judge, asker, clock):
    _fail(judge, asker, 3)
    clock.advance(60)
    asker.steps = [None]

    assert refined(judge).stage == "learned"
    assert refined(judge).stage == "judge"


def test_the_other_one_is_asked_while_one_rests(judge, asker):
    _fail(judge, asker, 3)
    asker.models = [SMALL, OTHER]

    assert "local/other" in refined(judge).reason


def test_it_follows_the_first_verdict_of_the_cascade(judge):
    class Learned:
        name = "learned"

        def judge(self, request):
            return a_verdict()

    verdict = cascade((Learned(),), judge.refine)(a_request("Weigh it"))

    assert verdict.stage == "judge"


_chances = st.lists(st.floats(0, 1), min_size=5, max_size=5).map(
    lambda values: [value / (sum(values) or 1.0) for value in values]
)


@given(_chances, _chances, st.floats(0, 1))
def test_a_pool_is_a_distribution(chances, others, weight):
    together = pooled(chances, others, weight)

    assert sum(together) == pytest.approx(1)
    assert all(0 <= value <= 1 for value in together)


@given(_chances)
def test_the_weights_at_their_ends_are_one_or_the_other(chances):
    assume_positive = [max(value, 1e-3) for value in chances]
    total = sum(assume_positive)
    chances = [value / total for value in assume_positive]

    assert pooled(chances, HARD, 0.0) == pytest.approx(chances)
    assert pooled(chances, HARD, 1.0) == pytest.approx(HARD)


@given(_chances, st.floats(0, 1), st.floats(0.01, 0.99))
def test_any_verdict_stays_in_its_bounds(said, score, need):
    asker = FakeAsker()
    asker.steps = [[max(value, 1e-9) for value in said]]
    judge = Judge(asker, TRUST, deadline_s=0.8, clock=Clock(), key=b"k" * 16)

    verdict = refined(judge, a_verdict(score=score, need_strong=need))

    assert verdict.stage == "judge"
    for value in (verdict.score, verdict.need_strong, verdict.confidence):
        assert 0 <= value <= 1
        assert not math.isnan(value)


def test_the_shipped_judges_are_local_models_of_the_catalogue_without_the_starter():
    trust = read_trust((folder("data") / "judge.toml").read_text("utf-8"))
    catalog = read_catalog((folder("data") / "catalog.toml").read_text("utf-8"))

    assert next(iter(trust)) == "gemma-4-e2b"
    assert catalog.starter not in trust
    for name, row in trust.items():
        assert catalog.models[name].is_local
        assert 0 < row.weight < 1 <= row.temperature
