"""A decision in plain words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from larouter.core.pace import Forecast
from larouter.routing.reasons import expected, named
from tests.routing.house import SMALL, SMART, a_verdict, asking, routed


@pytest.mark.parametrize(
    ("model", "forecast", "said"),
    [
        (SMALL, Forecast(0.42, 3.0, True), "Small is hot: first word in about 0.4 s"),
        (SMALL, Forecast(44.6, 60.0, False), "Small has to be loaded: first word in about 45 s"),
        (SMART, Forecast(1.2, 3.0, True), "Smart: first word in about 1.2 s"),
    ],
)
def test_the_first_word_is_expected(model, forecast, said):
    assert expected(model, forecast) == said


def test_a_model_without_a_title_goes_by_its_key():
    assert named(replace(SMART, title="")) == "google/smart-2026"


def test_the_weightiest_reason_comes_first():
    request = asking({"privacy": frozenset({"secrets"}), "quality": 0.8})
    verdict = a_verdict("MODERATE", need_strong=0.4)

    reasons = routed(request, verdict=verdict, private=lambda _: "secrets").reason.split("; ")

    assert reasons == [
        "a secret keeps this conversation on this machine",
        "COMPLEX instead of MODERATE: needs a strong model: 40% likely, over your limit of 20%",
        "said",
        "Smart is not on this machine, which a secret may not leave",
    ]
