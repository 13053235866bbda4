"""Our prices beside those of `genai-prices`: each difference has a reason.

It is read in tests only; docs/catalog.md says why.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import larouter
from larouter.core.catalog_toml import read_catalog
from larouter.core.chat import Usage

pytestmark = pytest.mark.slow

SHIPPED = read_catalog(
    (Path(larouter.__file__).parent / "data" / "catalog.toml").read_text("utf-8"),
    today=date(2026, 11, 23),
)
CLOUD = [model for model in SHIPPED.models.values() if not model.is_local]

UNLISTED_THERE = {
    "gemini-4-carbon": "released on 2026-11-10, after its data",
    "gemini-4-neon": "released on 2026-11-18",
    "gemini-4-hydrogen": "released on 2026-11-12",
    "gpt-6.2-astra": "released on 2026-11-17",
    "gpt-6.2-sol": "released on 2026-11-17",
}
DIFFERS = {
    ("claude-sonnet-4-5", 300_000): "a prompt of this length is refused since 2026-04-30",
    ("deepseek-v4-pro", "sunday"): "it has no weekdays: an upper bound there, it says itself",
    ("deepseek-flash", "sunday"): "it has no weekdays: an upper bound there, it says itself",
}
TIMES = {
    "peak": datetime(2026, 11, 23, 2, 30, tzinfo=UTC),
    "noon": datetime(2026, 11, 23, 12, tzinfo=UTC),
    "sunday": datetime(2026, 11, 22, 2, 30, tzinfo=UTC),
}
# Below and above each step.
PROMPTS = (1_000, 150_000, 300_000)


def theirs(model, usage, at):
    """Nano-dollars as `genai-prices` works them out; it counts cached tokens inside the input."""
    genai = pytest.importorskip("genai_prices")
    their_usage = genai.Usage(
        input_tokens=usage.prompt,
        cache_read_tokens=usage.cache_read,
        output_tokens=usage.output,
    )
    price = genai.calc_price(
        their_usage, model.name, provider_id=model.provider, genai_request_timestamp=at
    )
    return price.total_price * 10**9


@pytest.mark.parametrize(
    "model", [pytest.param(m, id=m.id) for m in CLOUD if m.id not in UNLISTED_THERE]
)
@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("when", list(TIMES))
def test_two_tables_agree(model, prompt, when):
    if "embeddings" in model.abilities:
        usage = Usage(input=prompt)
    else:
        usage = Usage(input=prompt - 500, cache_read=500, output=100)
    ours = model.price_at(TIMES[when].date()).cost(usage, at=TIMES[when])

    differs = abs((ours or 0) - theirs(model, usage, TIMES[when])) >= 1

    assert differs == bool(DIFFERS.get((model.id, prompt)) or DIFFERS.get((model.id, when)))


# A model that has closed is answered by its successor at Google, at that one's price.
@pytest.mark.parametrize("name", ["gemini-4-argon", "gemini-3.8-flash"])
def test_announced_changes_agree(name):
    model = SHIPPED.models[name]
    for price in model.prices:
        day = price.starts or date(2026, 11, 23)
        at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        usage = Usage(input=1_000, output=100)

        assert abs((price.cost(usage, at=at) or 0) - theirs(model, usage, at)) < 1


@pytest.mark.parametrize("name", list(UNLISTED_THERE))
def test_what_is_not_there_is_not_there(name):
    genai = pytest.importorskip("genai_prices")

    with pytest.raises(LookupError):
        genai.calc_price(
            genai.Usage(input_tokens=1), name, provider_id=SHIPPED.models[name].provider
        )
