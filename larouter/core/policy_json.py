"""A policy as JSON: what the API takes and shows, and what a project's row keeps.

Reading is strict. A policy that was misunderstood could send to a cloud what was to stay here, so
whatever is odd is refused, with a sentence that says what would be right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from larouter.core.errors import BadRequest
from larouter.core.money import MOST_DOLLARS, Nanodollars, decimal_text, nanodollars
from larouter.core.policy import (
    DEFAULT_POLICY,
    ESCALATIONS,
    MODES,
    PRIVACY,
    WHEN_LEFT,
    WHEN_SPENT,
    Policy,
    Rule,
)
from larouter.core.policy_rules import parse_rule
from larouter.core.privacy.patterns import MAX_PATTERNS, check_pattern

MAX_RULES = 50
MAX_PINS = 10
"""Models of one tier: a request tries them one after the other."""

_DEFAULT = "default"
_TIER = re.compile(r"[A-Z][A-Z0-9_-]{0,39}")
_MODEL = re.compile(r"[\w./:@+-]{1,256}")
_MAX_TIERS = 20
_MOST = 10**9
_MAX_PROVIDERS = 100


def read_policy(given: Mapping[str, Any], *, base: Policy = DEFAULT_POLICY) -> Policy:
    """Change in `base` the fields that are given; null or "default" takes one back.

    A list or an object replaces the whole one that was there. Raises `BadRequest` whose `param`
    is `policy.` and the field.
    """
    changes: dict[str, Any] = {}
    for name, value in given.items():
        row = _FIELDS.get(name)
        if row is None:
            raise _wrong(name[:100], f"A policy has {', '.join(_FIELDS)}, and no field {name!r}.")
        field, read = row
        is_reset = value is None or (isinstance(value, str) and value == _DEFAULT)
        changes[field] = getattr(DEFAULT_POLICY, field) if is_reset else read(name, value)
    return replace(base, **changes) if changes else base


def policy_json(policy: Policy) -> dict[str, Any]:
    """All fields, as `read_policy` takes them; money as a decimal in a string."""
    return {
        "mode": policy.mode,
        "quality": policy.quality,
        "pins": {tier: list(models) for tier, models in sorted(policy.pins.items())},
        "providers": None if policy.providers is None else sorted(policy.providers),
        "max_cost_usd": None if policy.max_cost is None else decimal_text(policy.max_cost),
        "privacy": [kind for kind in PRIVACY if kind in policy.privacy],
        "patterns": list(policy.patterns),
        "rules": [rule.text for rule in policy.rules],
        "escalation": policy.escalation,
        "hold_first_tokens": policy.hold_first_tokens,
        "when_spent": policy.when_spent,
        "when_left": policy.when_left,
        "requests_per_minute": policy.requests_per_minute,
        "tokens_per_minute": policy.tokens_per_minute,
        "parallel": policy.parallel,
    }


def changes_json(policy: Policy) -> dict[str, Any]:
    """The fields that are not the default's: what is worth keeping, and worth showing first."""
    default = policy_json(DEFAULT_POLICY)
    return {name: value for name, value in policy_json(policy).items() if value != default[name]}


def _wrong(name: str, message: str) -> BadRequest:
    return BadRequest(message, param=f"policy.{name}")


def _one_of(words: tuple[str, ...]) -> Callable[[str, object], str]:
    def read(name: str, value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise _wrong(name, f"The policy's {name} is one of {', '.join(words)}.")
        return value

    return read


def _quality(name: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise _wrong(
        name, "The policy's quality is a number from 0 (strong models seldom) to 1 (often)."
    )


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, f"The policy's {name} is true or false.")
    return value


def _count(name: str, value: object) -> int:
    if type(value) is not int or not 1 <= value <= _MOST:
        raise _wrong(name, f"The policy's {name} is a whole number from 1; null: no limit.")
    return value


def _cost(name: str, value: object) -> Nanodollars:
    # A number of JSON is a binary fraction before anybody has read it (TRUST B1).
    try:
        nusd = nanodollars(value) if isinstance(value, str) else 0
    except ValueError:
        nusd = 0
    if nusd <= 0:
        raise _wrong(
            name,
            f"The policy's {name} is an amount of dollars above 0 and up to {MOST_DOLLARS}, with "
            'at most nine places, as a string such as "0.02"; null: no limit. To pay nothing, '
            "choose the mode local-only.",
        )
    return nusd


def _words(name: str, value: object, most: int) -> list[str]:
    if not (isinstance(value, list) and all(isinstance(word, str) for word in value)):
        raise _wrong(name, f"The policy's {name} is a list of strings.")
    if len(value) > most:
        raise _wrong(name, f"The policy's {name} has at most {most} entries.")
    return list(dict.fromkeys(value))


def _privacy(name: str, value: object) -> frozenset[str]:
    kinds = frozenset(_words(name, value, len(PRIVACY)))
    if not kinds <= set(PRIVACY):
        raise _wrong(name, f"The policy's {name} is a list of: {', '.join(PRIVACY)}.")
    return kinds


def _patterns(name: str, value: object) -> tuple[str, ...]:
    patterns = [" ".join(pattern.split()) for pattern in _words(name, value, MAX_PATTERNS)]
    for pattern in patterns:
        try:
            check_pattern(pattern)
        except ValueError as error:
            raise _wrong(name, f"{error}") from None
    return tuple(patterns)


def _rules(name: str, value: object) -> tuple[Rule, ...]:
    rules = []
    for number, text in enumerate(_words(name, value, MAX_RULES), 1):
        try:
            rules.append(parse_rule(text))
        except BadRequest as error:
            raise _wrong(name, f"Rule {number}: {error.message}") from None
    return tuple(rules)


def _providers(name: str, value: object) -> frozenset[str]:
    names = frozenset(_words(name, value, _MAX_PROVIDERS))
    if not names:
        raise _wrong(
            name,
            f"The policy's {name} names at least one provider, such as openai; null: all of them. "
            "To call none of them, choose the mode local-only.",
        )
    if not all(_MODEL.fullmatch(provider) and "/" not in provider for provider in names):
        raise _wrong(name, "A provider's name has letters, digits and hyphens.")
    return names


def _pins(name: str, value: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, Mapping) or len(value) > _MAX_TIERS:
        raise _wrong(
            name,
            f"The policy's {name} is an object of at most {_MAX_TIERS} tiers, each with a list of "
            'models: {"COMPLEX": ["openai/gpt-6.2-sol"]}.',
        )
    pins = {}
    for tier, models in value.items():
        if not _TIER.fullmatch(tier.upper()):
            raise _wrong(name, f"{tier[:40]!r} is no name of a tier, such as COMPLEX.")
        pins[tier.upper()] = _pinned(name, tier, models)
    return pins


def _pinned(name: str, tier: str, models: object) -> tuple[str, ...]:
    given = _words(name, [models] if isinstance(models, str) else models, MAX_PINS)
    if not given:
        raise _wrong(name, f"Name at least one model for {tier}, or leave the tier out.")
    for model in given:
        if not _MODEL.fullmatch(model):
            raise _wrong(
                name,
                f"{model[:40]!r} is no name of a model: write an id of GET /v1/models, or "
                "provider/model.",
            )
    return tuple(given)


_FIELDS: Mapping[str, tuple[str, Callable[[str, Any], object]]] = {
    "mode": ("mode", _one_of(MODES)),
    "quality": ("quality", _quality),
    "pins": ("pins", _pins),
    "providers": ("providers", _providers),
    "max_cost_usd": ("max_cost", _cost),
    "privacy": ("privacy", _privacy),
    "patterns": ("patterns", _patterns),
    "rules": ("rules", _rules),
    "escalation": ("escalation", _one_of(ESCALATIONS)),
    "hold_first_tokens": ("hold_first_tokens", _flag),
    "when_spent": ("when_spent", _one_of(WHEN_SPENT)),
    "when_left": ("when_left", _one_of(WHEN_LEFT)),
    "requests_per_minute": ("requests_per_minute", _count),
    "tokens_per_minute": ("tokens_per_minute", _count),
    "parallel": ("parallel", _count),
}
"""By its name in JSON: the field of `Policy`, and who reads it."""
