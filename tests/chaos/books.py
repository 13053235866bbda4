"""Two books of the same calls compared: what the provider wrote down, and what LARouter did."""

import json
from collections import defaultdict
from fractions import Fraction
from math import ceil

OPEN = "pending"
PAID = frozenset({"settled", "estimated"})


def read_journal(path):
    """The provider's side: answers by their id, and how often each rid was refused."""
    answers = {}
    refused: dict[str, int] = defaultdict(int)
    for line in path.read_text().splitlines():
        row = json.loads(line)
        if row["event"] == "asked":
            answers[row["id"]] = {**row, "told": False}
        elif row["event"] == "told":
            answers[row["id"]]["told"] = True
        else:
            refused[row["rid"]] += 1
    return answers, refused


def cost(usage, price):
    """What the provider's own count comes to, worked out by nobody of LARouter's."""
    cached = usage["prompt_tokens_details"]["cached_tokens"]
    dollars_per_million = (
        (usage["prompt_tokens"] - cached) * Fraction(price["input"])
        + cached * Fraction(price["cache_read"])
        + usage["completion_tokens"] * Fraction(price["output"])
    )
    return ceil(dollars_per_million * 1_000)


class Compared:
    """Which attempt is which answer, and what does not fit."""

    def __init__(self, attempts, answers, refused, price):
        self.wrong = []
        self.unknown = {}
        """Attempts whose outcome LARouter does not know, and the answer that the provider gave;
        None: it never heard of it."""
        self.settled = 0
        self._answers = answers
        self._price = price
        by_rid = defaultdict(list)
        for attempt in attempts:
            by_rid[attempt["rid"]].append(attempt)
        served = defaultdict(list)
        for answer in answers.values():
            served[answer["rid"]].append(answer)
        for rid in by_rid.keys() | served.keys() | refused.keys():
            self._one(rid, by_rid[rid], served[rid], refused.get(rid, 0))

    def _one(self, rid, attempts, answers, refused):
        known = {attempt["provider_id"]: attempt for attempt in attempts if attempt["provider_id"]}
        if len(known) != sum(attempt["provider_id"] is not None for attempt in attempts):
            self.wrong.append(f"{rid}: one answer was written down twice")
        for id, attempt in known.items():
            self._paid(rid, attempt, self._answers.get(id))
        rest = [attempt for attempt in attempts if not attempt["provider_id"]]
        lost = [answer for answer in answers if answer["id"] not in known]
        states = [attempt["state"] for attempt in rest]
        said_no = states.count("failed") + states.count("released")
        unknown = [attempt for attempt in rest if attempt["state"] == "unknown"]
        if said_no + len(unknown) != len(rest):
            self.wrong.append(f"{rid}: {states} and nobody knows of which answer")
        # A refusal that was under way when the server was killed is unknown.
        if len(lost) > len(unknown) or len(lost) + refused > len(rest):
            self.wrong.append(f"{rid}: {len(lost)} answers, {refused} refusals, but {states}")
        for number, attempt in enumerate(unknown):
            self.unknown[attempt["attempt_id"]] = lost[number] if number < len(lost) else None

    def _paid(self, rid, attempt, answer):
        """An attempt that has the provider's own id."""
        if answer is None or answer["rid"] != rid or attempt["state"] not in PAID:
            self.wrong.append(f"{rid}: {attempt} is no answer of the provider's")
        elif attempt["state"] == "settled":
            self.settled += 1
            if not is_exact(attempt, answer["usage"], self._price):
                self.wrong.append(f"{rid}: {attempt} is not {answer}")


def is_exact(attempt, usage, price):
    """Is an attempt what the provider says it is, to the nano-dollar?"""
    told = (
        usage["prompt_tokens"], usage["prompt_tokens_details"]["cached_tokens"],
        usage["completion_tokens"], cost(usage, price),
    )  # fmt: skip
    return told == (
        attempt["prompt_tokens"], attempt["cached_tokens"], attempt["completion_tokens"],
        attempt["cost_nusd"],
    )  # fmt: skip
