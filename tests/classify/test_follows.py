"""Turns that only go on with what came before."""

from __future__ import annotations

import pytest

from larouter.classify.follows import Follows
from larouter.classify.rules import Rules
from larouter.config import folder
from larouter.core.route import Verdict
from tests.fakes import a_request

TEXT = (folder("data") / "rules.toml").read_text("utf-8")
FOLLOWS = Follows(TEXT)


def _turn(text, *before):
    """A request whose user says `text` after these."""
    said = [{"role": "user", "content": line} for line in before or ("Write a compiler",)]
    answered = [
        turn for line in said for turn in (line, {"role": "assistant", "content": "Here it is."})
    ]
    return a_request(messages=[*answered, {"role": "user", "content": text}])


def _verdict(**more):
    return Verdict(
        tier="SIMPLE",
        score=0.2,
        need_strong=0.2,
        confidence=0.5,
        stage="default",
        reason="a short question",
        **more,
    )


@pytest.mark.parametrize(
    "text",
    [
        "continue", "Continue.", "ok, continue", "OK!", "yes", "yes please", "do it", "weiter",
        "Yes, do it please", "sounds good, go ahead", "ok then, go on now", "try again", "next",
        "ja, mach weiter bitte", "Okay, leg los!", "oui, vas-y", "continuez s'il vous plaît",
        "sí, hazlo", "sim, pode continuar", "va bene, procedi", "да, продолжай пожалуйста",
        "好的 继续", "继续吧", "はい、続けて", "네 계속해", "tamam devam et", "نعم استمر",
        "ठीक है आगे बढ़ो", "let's do it",
    ],
)  # fmt: skip
def test_a_turn_that_only_goes_on(text):
    assert FOLLOWS.says(_turn(text))


@pytest.mark.parametrize(
    "text",
    [
        "", "thanks", "danke", "why?", "no", "continue with the proof of Fermat's theorem",
        "ok but cheaper", "do it in Rust", "next week?", "what is 2 + 2", "ok " * 40, "go home",
    ],
)  # fmt: skip
def test_a_turn_that_says_something(text):
    assert not FOLLOWS.says(_turn(text))


def test_there_is_something_to_go_on_with():
    assert not FOLLOWS.says(a_request("continue"))


def test_the_verdict_says_so():
    refine = FOLLOWS.before(None)

    assert refine(_turn("ok, continue"), _verdict()) == _verdict(follows=True)
    assert refine(_turn("And in Rust?"), _verdict()) == _verdict()


def test_a_classifier_that_knows_is_not_asked_again():
    verdict = _verdict(follows=True)

    assert FOLLOWS.before(None)(_turn("and in Rust?"), verdict) is verdict


def test_who_looks_after_it_knows_it():
    seen = []

    def refine(request, verdict):
        seen.append(verdict.follows)
        return _verdict(tags=frozenset({"code"}))

    assert FOLLOWS.before(refine)(_turn("ok, continue"), _verdict()).tags == {"code"}
    assert seen == [True]


def test_thanks_are_left_to_the_rules():
    for thanks in ("thanks", "ok thanks", "great thanks", "vielen dank", "merci"):
        verdict = Rules(TEXT).judge(_turn(thanks))
        assert verdict is not None
        assert verdict.tier == "HEARTBEAT"
        assert not FOLLOWS.says(_turn(thanks))
