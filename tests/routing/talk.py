"""A conversation through the whole of routing, with a memory."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

from larouter.core.catalog import FREE, Model, Price
from larouter.core.chat import ChatRequest, Message
from larouter.core.conversations import Conversations
from larouter.core.route import Verdict
from larouter.routing import Situation, route
from tests.fakes import Clock, a_catalog

DEAR = Price(
    input=Decimal(5),
    output=Decimal(25),
    cache_read=Decimal("0.5"),
    cache_write=Decimal("6.25"),
    source="a page",
)
CHEAP = Price(input=Decimal("0.5"), output=Decimal(2), cache_read=Decimal("0.05"), source="a page")


def model(name, provider, price=FREE, **more):
    return Model(id=name, name=name, provider=provider, title=name.title(), price=price, **more)


TINY, SMALL, LARGE = (model(name, "local") for name in ("tiny", "small", "large"))
SMART = model("smart", "openai", CHEAP)
CLEVER = model("clever", "deepseek", replace(CHEAP, output=Decimal(3)))
GENIUS, MASTER = model("genius", "openai", DEAR), model("master", "anthropic", DEAR)
CATALOG = a_catalog(
    TINY, SMALL, LARGE, SMART, CLEVER, GENIUS, MASTER,
    starter="tiny",
    HEARTBEAT=("tiny",), SIMPLE=("small",), MODERATE=("large",),
    COMPLEX=("smart", "clever"), FRONTIER=("genius", "master"),
)  # fmt: skip
BAD = "Error: no such file"
TOOLS = {"needs": frozenset({"tools"})}


class Talk:
    """One conversation through the whole of routing, with a memory."""

    def __init__(self, catalog=CATALOG):
        self.catalog = catalog
        self.clock = Clock()
        self.memory = Conversations(self.clock)
        self.without: set[str] = set()
        self.verdict = SimpleNamespace(tier="SIMPLE", follows=False)
        self.turns: list[Message] = []
        self.caller: str | None = None
        self.situation = Situation(
            catalog=lambda: self.catalog,
            providers={"local": FREE, "openai": Price(), "anthropic": Price(), "deepseek": Price()},
            missing=lambda model: "no-key" if model.id in self.without else None,
            classify=lambda request: Verdict(
                tier=self.verdict.tier,
                score=0.3,
                need_strong=0.95 if self.verdict.tier in {"COMPLEX", "FRONTIER"} else 0.05,
                confidence=0.9,
                stage="rules",
                reason="said",
                follows=self.verdict.follows,
            ),
            caller=lambda request: self.caller,
            memory=self.memory,
        )

    def say(self, text, tier="SIMPLE", *, follows=False, tokens=100, answered_by=None, **fields):
        """The user says something; the decision about it. Somebody answers."""
        self.turns.append(Message("user", text))
        return self.ask(tier, follows=follows, tokens=tokens, answered_by=answered_by, **fields)

    def result(self, text, tier="SIMPLE", *, tokens=100, answered_by=None, **fields):
        """A tool that was called says something."""
        self.turns.append(Message("tool", text))
        return self.ask(
            tier, tokens=tokens, answered_by=answered_by, answers=("call_1",), **TOOLS, **fields
        )

    def ask(self, tier, *, follows=False, tokens=100, answered_by=None, **fields):
        self.verdict = SimpleNamespace(tier=tier, follows=follows)
        request = ChatRequest(
            **{"model": "auto", "messages": tuple(self.turns), "body": {}, "size": 4 * tokens}
            | fields
        )
        decision = route(request, self.situation)
        self.memory.note(request, decision, answered_by or decision.choices[0].model)
        self.turns.append(Message("assistant", "So be it."))
        return decision


def who(decision):
    return decision.choices[0].model.id, decision.tier, decision.stage
