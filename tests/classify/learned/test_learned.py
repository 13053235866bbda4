"""The learned stage: with small weights for its arithmetic, with the shipped ones for its sense."""

import hashlib
import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from larouter.classify.learned import TIERS, Learned
from larouter.config import folder
from tests.classify.learned.weights import small
from tests.fakes import a_request

SHIPPED = Learned(folder("data") / "learned.npz")


def judge(*turns):
    """`turns` alternates user, assistant, user …"""
    said = [
        {"role": "assistant" if at % 2 else "user", "content": text}
        for at, text in enumerate(turns)
    ]
    return SHIPPED.judge(a_request(messages=said))


@pytest.fixture
def tiny(tmp_path):
    def made(**changed):
        file = tmp_path / "weights.npz"
        np.savez(file, **(small() | changed))
        return Learned(file)

    return made


@pytest.mark.parametrize(
    ("chances", "border", "tier"),
    [
        ((0.1, 0.2, 0.4, 0.2, 0.1), 0.4, 2),
        ((0.1, 0.1, 0.35, 0.25, 0.2), 0.4, 3),
        ((0.0, 0.1, 0.35, 0.2, 0.35), 0.5, 4),
        ((0.5, 0.3, 0.2, 0.0, 0.0), 0.4, 0),
    ],
)
def test_a_little_doubt_is_enough_for_a_cloud(tiny, chances, border, tier):
    assert tiny(border=np.float64(border)).tier_of(np.array(chances, np.float32)) == tier


def test_heat_makes_it_less_sure(tiny):
    cool, hot = (tiny(heat=np.float64(heat)).judge(a_request("hello world")) for heat in (1, 3))

    assert max(hot.probabilities) < max(cool.probabilities)


def test_the_next_likeliest_tier_is_told_if_it_is_near():
    sure, unsure = judge("what is the capital of Mongolia"), judge("tell me about inflation")

    assert ", else " not in sure.reason
    assert sorted(unsure.probabilities)[-2] < 0.1 or ", else " in unsure.reason


def test_a_verdict_has_everything():
    verdict = judge("Compare these two pension offers and tell me which one is better for me")

    assert verdict.stage == "learned"
    assert verdict.tier in TIERS
    assert sum(verdict.probabilities) == pytest.approx(1, abs=1e-3)
    assert 0 <= verdict.score <= 1
    assert 0 <= verdict.need_strong <= 1
    assert verdict.confidence == pytest.approx(
        verdict.probabilities[TIERS.index(verdict.tier)], abs=1e-3
    )
    assert verdict.tier in verdict.reason
    assert verdict.features["words"] > 0


@pytest.mark.parametrize(
    ("turns", "tiers"),
    [
        (("hey there, good morning to you",), {"HEARTBEAT"}),
        (("vielen lieben dank, das hat mir sehr geholfen",), {"HEARTBEAT"}),
        (("what is the capital of Mongolia",), {"SIMPLE"}),
        (("¿cuántos gramos tiene una onza?",), {"SIMPLE"}),
        (("write a friendly birthday message for my boss who likes fishing",), {"MODERATE"}),
        (("この文章をもっと丁寧に書き直してください: 明日は行けません。",), {"SIMPLE", "MODERATE"}),
        (("my landlord wants to keep the whole deposit because of scratches in the floor. "
          "is he allowed to, and what should I do?",), {"COMPLEX"}),
        (("warum wird mein postgres query plötzlich 10x langsamer obwohl der index da ist",),
         {"COMPLEX"}),
        (("build me a full booking system for my hair salon with accounts, payments and tests",),
         {"FRONTIER"}),
        (("prove that there are infinitely many primes congruent to 3 mod 4",), {"FRONTIER"}),
        (("write a complete chess engine in rust with uci and tests", "Done, part 1.", "continue"),
         {"FRONTIER"}),
        (("prove Fermat's little theorem", "Consider the residues ... QED", "thank you!!"),
         {"HEARTBEAT"}),
    ],
)  # fmt: skip
def test_what_people_ask(turns, tiers):
    assert judge(*turns).tier in tiers


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Kannst du mir bitte sagen, wann der nächste Zug nach Köln fährt?", "de"),
        ("¿Me puedes decir a qué hora sale el próximo tren a Sevilla?", "es"),
        ("Could you tell me when the next train to Leeds leaves, please?", "en"),
        ("次の大阪行きの電車は何時に出ますか。教えてください", "ja"),
    ],
)
def test_the_language_is_noticed(text, language):
    assert judge(text).language == language


def test_what_it_is_about_is_noticed():
    assert "code" in judge("fix this python function, it raises a KeyError in the loop").tags
    assert judge("good morning").tags == frozenset()


@given(st.text(max_size=400), st.text(max_size=60))
def test_no_request_is_too_odd(text, before):
    assert judge(before, "ok", text).tier in TIERS


def test_many_at_once_are_judged_alike():
    texts = [f"Explain number {at} to a child" for at in range(40)]
    alone = [judge(text).probabilities for text in texts]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda text: judge(text).probabilities, texts))

    assert together == alone


def test_its_cost_does_not_grow_with_the_prompt():
    def spent(size):
        request = a_request("Look at this and say whether it adds up. " * (size // 41))
        times = []
        for _ in range(30):
            began = time.process_time()
            SHIPPED.judge(request)
            times.append(time.process_time() - began)
        return statistics.median(times)

    assert spent(2_000_000) < 5 * spent(8_192) + 0.002


def test_the_weights_are_those_of_the_report():
    told = json.loads((folder("data").parents[1] / "training/report.json").read_text("utf-8"))
    shipped = (folder("data") / "learned.npz").read_bytes()

    assert hashlib.sha256(shipped).hexdigest() == told["sha256"]
    assert len(shipped) <= 20_000_000
