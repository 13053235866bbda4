"""Decides a recorded request once more, under another policy, from the numbers that were kept.

The same `route` decides, on a stand-in of the request: as long, of as many turns, with the same
needs and the same verdict, and without a word in it. What passed by is not brought back: how busy
models were, what rested, what a conversation had before it. So a tool's result, which has no
verdict, goes where the request before it goes that the same model had answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from larouter.core.catalog import Catalog, Model, Price
from larouter.core.chat import ChatRequest, Message
from larouter.core.errors import LARouterError
from larouter.core.policy import DEFAULT_POLICY, Policy
from larouter.core.replay import Recorded, Remade
from larouter.core.route import Verdict
from larouter.routing import route
from larouter.routing.names import explicit_model
from larouter.routing.situation import Situation

Wishes = Mapping[str, tuple[Policy, float]]
"""By a project's id, its policy and its bias."""

_BYTES_PER_TOKEN = 4
_TURN = (Message("user", ""),)


class Again:
    """One run through a history, oldest request first; `decide` is a `core.replay.Decide`.
    `others` is the policy of a project that is not among the wishes, as it was deleted."""

    def __init__(
        self,
        catalog: Catalog,
        providers: Mapping[str, Price],
        missing: Callable[[Model], str | None],
        wishes: Wishes,
        others: Policy = DEFAULT_POLICY,
    ) -> None:
        self._catalog = catalog
        self._providers = providers
        self._wishes = wishes
        self._others = others
        self._missing = missing
        self._followed: dict[tuple[str, str | None], Remade | None] = {}
        """By project and the model that answered: where its last request goes now."""

    def decide(self, row: Recorded) -> Remade | None:
        """Where the request would go; None: nobody would be allowed to answer, or able."""
        at = row.project, row.model
        if row.stage == "sticky" and at in self._followed:
            return self._followed[at]
        remade = self._followed[at] = self._decide(row)
        return remade

    def _decide(self, row: Recorded) -> Remade | None:
        is_named = row.stage == "explicit" and row.tier == "-"
        if is_named and explicit_model(row.asked, self._catalog, self._providers) is None:
            return None
        if not (is_named or self._catalog.tiers):
            return None
        numbers = row.numbers
        policy, bias = self._wishes.get(row.project, (self._others, 0.0))
        request = ChatRequest(
            model=row.asked,
            messages=_TURN * max(1, numbers.turns),
            body={},
            size=numbers.prompt_tokens * _BYTES_PER_TOKEN,
            max_output=numbers.max_output,
            needs=frozenset(numbers.needs),
            tier=self._named_tier(row),
            project=row.project,
            unknown_model="auto",
            policy=policy,
            bias=bias,
        )
        kind = "private" if numbers.private else None
        situation = Situation(
            catalog=lambda: self._catalog,
            providers=self._providers,
            missing=self._missing,
            classify=lambda request: self._verdict(row),
            private=lambda request: kind,
        )
        try:
            decision = route(request, situation)
        except LARouterError:
            return None
        return Remade(decision.tier, decision.choices[0].model)

    def _named_tier(self, row: Recorded) -> str | None:
        """A tier that the client insisted on, or that a tool's result has by its model."""
        if row.stage == "explicit" and row.tier != "-":
            return row.tier
        if row.stage == "sticky" and not row.numbers.tier:
            return row.tier if self._catalog.tier(row.tier) is not None else None
        return None

    def _verdict(self, row: Recorded) -> Verdict:
        """What the classifier had found. Of a tier that is no longer there, the dearest is the
        one that cannot spoil an answer."""
        numbers = row.numbers
        tier = self._catalog.tier(numbers.tier or row.tier) or self._catalog.tiers[-1]
        return Verdict(
            tier=tier.name,
            score=0.0,
            need_strong=numbers.need_strong,
            lean=numbers.lean,
            confidence=1.0,
            stage=row.stage,
            reason="",
            probabilities=numbers.probabilities,
            tags=frozenset(numbers.tags),
            language=numbers.language,
        )
