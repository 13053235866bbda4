"""Who of those in line may answer: the gates are asked about each of them."""

from __future__ import annotations

from msgspec import Struct

from larouter.core.catalog import Model
from larouter.core.route import Gate
from larouter.routing.gates import shut
from larouter.routing.line import Candidate, Line, line_of
from larouter.routing.need import Need
from larouter.routing.policies import own_models
from larouter.routing.situation import Case


class Field(Struct, frozen=True, kw_only=True):
    """All that were considered for a need."""

    line: Line
    allowed: tuple[Candidate, ...]
    """In the declared order."""
    gates: tuple[Gate, ...]
    """What speaks against the others."""
    missed: tuple[Model, Gate] | None = None
    """The first of the tier's own models that may not answer."""


def field_for(need: Need, case: Case) -> Field:
    """Ask the gates about every model that may answer for `need`."""
    line = _line(need, case)
    allowed = []
    gates = []
    missed = None
    output = case.output_tokens(need.tier)
    for candidate in line.candidates:
        gate = shut(candidate.model, case, output)
        if gate is None:
            allowed.append(candidate)
            continue
        gates.append(gate)
        if missed is None and candidate.is_own:
            missed = candidate.model, gate
    return Field(line=line, allowed=tuple(allowed), gates=tuple(gates), missed=missed)


def larger(field: Field, case: Case) -> list[Model]:
    """Models of dearer tiers that hold more than any that is allowed, cheapest first: nobody has
    counted the prompt's tokens yet, and the engine may find that it does not fit."""
    most = max([candidate.model.context or 2**31 for candidate in field.allowed])
    return [
        candidate.model
        for candidate in field.line.dearer
        if (candidate.model.context or 0) > most and shut(candidate.model, case, 0) is None
    ]


def _line(need: Need, case: Case) -> Line:
    if not case.policy.pins and need.model is None:
        return case.situation.lines.of(need.tier, case.catalog)
    line = line_of(need.tier, case.catalog, lambda tier: own_models(tier, case))
    if need.model is None:
        return line
    # What a rule names goes before the tier's own models, which then stand in for it.
    first = Candidate(need.model, need.tier.rank, True)
    others = [
        Candidate(candidate.model, candidate.rank, False)
        for candidate in line.candidates
        if candidate.model.key != need.model.key
    ]
    return Line((first, *others), line.dearer)
