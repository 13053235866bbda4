"""What a provider's cache is worth to a conversation."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from larouter.core.catalog import FREE, Model, Price
from larouter.providers import ENDPOINTS
from larouter.routing.caches import CACHES, switch

DEAR = Price(input=Decimal(5), output=Decimal(25), cache_read=Decimal("0.5"))
KEEPING = Price(
    input=Decimal(5), output=Decimal(25), cache_read=Decimal("0.5"), cache_write=Decimal("6.25")
)
CHEAP = Price(input=Decimal(1), output=Decimal(5))
TOKENS = st.integers(min_value=0, max_value=200_000)


def _model(price):
    return Model(id="m", name="m", provider="openai", price=price)


def _switched(old, new, **sizes):
    found = switch(_model(old), _model(new), **sizes)
    assert found is not None
    return found


def test_every_cache_is_a_providers():
    assert set(CACHES) <= {endpoint.name for endpoint in ENDPOINTS}


@pytest.mark.parametrize(
    ("old", "new", "kept", "saved", "lost"),
    [
        # Nothing kept: 1,000 tokens at 5 and 100 at 25 dollars a million.
        (DEAR, FREE, 0, 7_500_000, 0),
        # All of it kept: it is read at a tenth, and on the way back as fresh.
        (DEAR, FREE, 1_000, 3_000_000, 4_500_000),
        (KEEPING, FREE, 1_000, 3_000_000, 5_750_000),
        (DEAR, CHEAP, 1_000, 1_500_000, 4_500_000),
        # No more is read of a cache than there is to read.
        (DEAR, FREE, 9_999, 3_000_000, 4_500_000),
        (FREE, FREE, 1_000, 0, 0),
    ],
)
def test_what_a_switch_saves_and_loses(old, new, kept, saved, lost):
    found = _switched(old, new, kept=kept, prompt=1_000, output=100)

    assert (found.saved, found.lost) == (saved, lost)
    assert found.pays is (saved > lost)


@pytest.mark.parametrize(("old", "new"), [(Price(), FREE), (DEAR, Price())])
def test_what_nobody_knows_is_not_compared(old, new):
    assert switch(_model(old), _model(new), kept=0, prompt=9, output=9) is None


@given(TOKENS, TOKENS, TOKENS)
@settings(deadline=None)
def test_the_same_model_never_pays(kept, prompt, output):
    found = _switched(DEAR, DEAR, kept=kept, prompt=prompt, output=output)

    assert found.saved <= 0 <= found.lost
    assert not found.pays


@given(TOKENS, TOKENS, TOKENS)
@settings(deadline=None)
def test_a_warmer_cache_never_makes_a_switch_pay_more(kept, prompt, output):
    cold = _switched(DEAR, FREE, kept=0, prompt=prompt, output=output)
    warm = _switched(DEAR, FREE, kept=kept, prompt=prompt, output=output)

    assert warm.saved <= cold.saved
    assert warm.lost >= cold.lost
