"""What differs between a provider's usage export and our calls; what it tells of unknown ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from larouter.cli.export_file import MEASURES, Export, Sums, plain_model

_COUNTED = ("settled", "estimated")
"""States of which a provider says something; failed and released ones it did not charge."""
_SLACK_MS = 5_000
"""Two clocks, and the way between them."""
_LISTED = 20


class Difference(NamedTuple):
    """One thing that is not the same here and there."""

    kind: str
    """differs, not_here (they have it, we do not) or not_there."""
    day: str
    model: str
    measure: str
    """One of `MEASURES`; `""` where the whole request is missing."""
    here: str
    there: str
    id: str = ""
    """The provider's id, where the export has one a row."""
    attempt: str = ""


class Answer(NamedTuple):
    """What the export tells of an attempt whose outcome is unknown here."""

    attempt: int
    prompt: int | None
    """None: the provider did nothing."""
    cached: int = 0
    output: int = 0


@dataclass(slots=True)
class Group:
    """Our calls of one day and model."""

    requests: int = 0
    prompt: int = 0
    cached: int = 0
    output: int = 0
    cost: int = 0
    unpriced: int = 0
    unknown: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Found:
    """Everything that came out."""

    differences: list[Difference] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    unknown: int = 0
    """Of our calls: nobody knows what became of them."""
    open: int = 0


def compare(export: Export, calls: Iterable[dict[str, Any]], zone: ZoneInfo) -> Found:
    """`calls` are ours, as `/api/usage/calls` gives them, of the days of the export."""
    found = Found()
    groups: dict[tuple[str, str], Group] = {}
    met: set[str] = set()
    lost: list[dict[str, Any]] = []
    for call in calls:
        day = datetime.fromtimestamp(call["startedMs"] / 1000, UTC).astimezone(zone).date()
        key = (day.isoformat(), plain_model(call["model"]))
        if call["state"] == "unknown":
            found.unknown += 1
            lost.append(call)
            groups.setdefault(key, Group()).unknown.append(call)
        elif call["state"] == "pending":
            found.open += 1
        elif call["state"] in _COUNTED:
            if export.requests:
                found.differences += _one(export, call, key)
                met.add(call["providerId"] or "")
            else:
                _add(groups.setdefault(key, Group()), call)
    if export.requests:
        _requests(export, met, lost, found)
    else:
        _days(export, groups, found)
    found.differences.sort(key=lambda row: (row.day, row.model, row.kind, row.id))
    return found


def _one(export: Export, call: dict[str, Any], key: tuple[str, str]) -> Iterator[Difference]:
    """One of our calls beside its row."""
    id, attempt = call["providerId"] or "", f"att_{call['id']}"
    row = export.requests.get(id)
    if row is None:
        yield Difference("not_there", *key, "", _words(call), "", id, attempt)
        return
    group = Group()
    _add(group, call)
    for measure, here, there in _differing(export, group, row):
        if measure != "requests":
            yield Difference("differs", *key, measure, here, there, id, attempt)


def _requests(export: Export, met: set[str], lost: list[dict[str, Any]], found: Found) -> None:
    """What they have and we do not; each may be one of those whose outcome is unknown."""
    rows = {id: sums for id, sums in export.requests.items() if id not in met}
    could = {call["id"]: [id for id, sums in rows.items() if _may_be(call, sums)] for call in lost}
    taken = [id for ids in could.values() for id in ids]
    for call in lost:
        ids = could[call["id"]]
        # Only where one row can be meant, and that row nobody else.
        if len(ids) == 1 and taken.count(ids[0]) == 1 and "prompt" in export.has:
            sums = rows[ids[0]]
            if not sums.written:
                found.answers.append(Answer(call["id"], sums.prompt, sums.cached, sums.output))
    for id, sums in rows.items():
        words = f"{sums.prompt} in, {sums.output} out"
        found.differences.append(
            Difference("not_here", export.day_of[id], sums.model, "", "", words, id)
        )


def _may_be(call: dict[str, Any], sums: Sums) -> bool:
    if sums.time_ms is None or plain_model(call["model"]) != sums.model:
        return False
    ended = call["endedMs"] or call["startedMs"]
    return bool(call["startedMs"] - _SLACK_MS <= sums.time_ms <= ended + _SLACK_MS)


def _days(export: Export, groups: dict[tuple[str, str], Group], found: Found) -> None:
    for key in sorted(groups.keys() | export.days.keys()):
        group, there = groups.get(key, Group()), export.days.get(key)
        if there is None:
            if group.requests:
                words = _said(export, group, Decimal(group.cost))
                found.differences.append(Difference("not_there", *key, "", words, ""))
            found.answers += [Answer(call["id"], None) for call in group.unknown]
            continue
        if not (group.requests or group.unknown):
            words = _said(export, there, there.cost_nusd)
            found.differences.append(Difference("not_here", *key, "", "", words))
            continue
        rows = list(_differing(export, group, there))
        found.differences += [Difference("differs", *key, *row) for row in rows]
        found.answers += _answers(export, group, there)


def _answers(export: Export, group: Group, there: Sums) -> Iterator[Answer]:
    """What is left of a day's sums, where it can only be of the calls that are unknown."""
    if not group.unknown or not {"requests", "prompt", "output"} <= export.has:
        return
    left = (there.requests - group.requests, there.prompt - group.prompt,
            there.output - group.output)  # fmt: skip
    cached = there.cached - group.cached
    if left == (0, 0, 0):
        yield from (Answer(call["id"], None) for call in group.unknown)
    elif len(group.unknown) == 1 and left[0] == 1 and not there.written:
        prompt, output = left[1:]
        if 0 <= cached <= prompt and output >= 0 and "cached" in export.has:
            yield Answer(group.unknown[0]["id"], prompt, cached, output)


def _differing(export: Export, group: Group, there: Sums) -> Iterator[tuple[str, str, str]]:
    """Measure, here and there."""
    for measure in MEASURES:
        if measure not in export.has:
            continue
        if measure != "cost":
            here, told = getattr(group, measure), getattr(there, measure)
            if here != told:
                yield measure, str(here), str(told)
        elif not group.unpriced:
            off = abs(group.cost - there.cost_nusd)
            # Each call was rounded up to a nano-dollar here; there each amount was rounded.
            if off > export.tolerance_nusd(there.cost_rows) + group.requests:
                yield measure, _dollars(Decimal(group.cost)), _dollars(there.cost_nusd)


def _add(group: Group, call: dict[str, Any]) -> None:
    group.requests += 1
    group.prompt += call["promptTokens"]
    group.cached += call["cachedTokens"]
    group.output += call["outputTokens"]
    group.cost += call["costNusd"] or 0
    group.unpriced += call["costNusd"] is None


def _dollars(nusd: Decimal) -> str:
    return f"${(nusd / 1_000_000_000).normalize():f}"


def _said(export: Export, sums: Group | Sums, cost: Decimal) -> str:
    """As far as the file says it."""
    words = {
        "requests": f"{sums.requests} {'request' if sums.requests == 1 else 'requests'}",
        "prompt": f"{sums.prompt} in",
        "output": f"{sums.output} out",
        "cost": _dollars(cost),
    }
    return ", ".join(text for name, text in words.items() if name in export.has)


def _words(call: dict[str, Any]) -> str:
    return f"{call['promptTokens']} in, {call['outputTokens']} out"
