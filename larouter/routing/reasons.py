"""A decision in plain words: short sentences with the numbers behind them, the weightiest first."""

from __future__ import annotations

from collections.abc import Iterator

from larouter.core.catalog import Model
from larouter.core.pace import Forecast
from larouter.routing.candidates import Field
from larouter.routing.need import Need
from larouter.routing.policies import private_words
from larouter.routing.preference import Ranking
from larouter.routing.situation import Case


def of(need: Need, field: Field, ranking: Ranking, case: Case) -> Iterator[str]:
    """Why this tier, why not its own model, and what to expect of the first one asked."""
    if case.private is not None:
        yield f"{private_words(case)} keeps this conversation on this machine"
    yield from need.reasons
    first = ranking.order[0]
    if field.missed is not None and not first.is_own:
        model, gate = field.missed
        yield f"{named(model)} {gate.words}"
    if ranking.forecast is None:
        return
    if ranking.overtook is not None:
        late, forecast = ranking.overtook
        yield (
            f"{named(late.model)} would take about {_seconds(forecast.total_s)}, "
            f"{named(first.model)} about {_seconds(ranking.forecast.total_s)}"
        )
    else:
        yield expected(first.model, ranking.forecast)


def expected(model: Model, forecast: Forecast) -> str:
    """When the first word is expected, and why then."""
    within = f"first word in about {_seconds(forecast.first_s)}"
    if not model.is_local:
        return f"{named(model)}: {within}"
    return f"{named(model)} {'is hot' if forecast.hot else 'has to be loaded'}: {within}"


def named(model: Model) -> str:
    """The model as people call it."""
    return model.title or model.key


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
