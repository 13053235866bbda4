"""`larouter projects policy`: show a project's policy, or change parts of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import click

from larouter.cli.calls import call
from larouter.core.policy import ESCALATIONS, MODES, PRIVACY, WHEN_LEFT, WHEN_SPENT
from larouter.core.policy_words import WORDS

_LIMITS = ("requests_per_minute", "tokens_per_minute", "parallel")
_MEANINGS = {(field, word.name): word.meaning for field, words in WORDS.items() for word in words}


@click.command()
@click.argument("name")
@click.option("--mode", type=click.Choice(MODES), help="What to prefer.")
@click.option(
    "--quality",
    type=click.FloatRange(0, 1),
    metavar="0..1",
    help="How soon a strong model is asked: 0 seldom, 1 often.",
)
@click.option("--pin", multiple=True, metavar="TIER=MODEL[,FALLBACK…]", help="Models of a tier.")
@click.option(
    "--unpin", multiple=True, metavar="TIER", help="Let a tier have its own models again."
)
@click.option(
    "--allow", multiple=True, metavar="PROVIDER", help="Call these clouds only; all: every one."
)
@click.option("--max-cost", metavar="USD", help="The most that a request may cost; none: no limit.")
@click.option(
    "--private",
    multiple=True,
    type=click.Choice((*PRIVACY, "none")),
    help="Keep conversations with this on this machine; none: nothing more.",
)
@click.option("--pattern", multiple=True, metavar="P", help="Keep these words here: ACME-####.")
@click.option("--no-pattern", multiple=True, metavar="P", help="Take a pattern away.")
@click.option("--rule", multiple=True, metavar='"if …"', help="Add a rule behind the others.")
@click.option(
    "--drop-rule", multiple=True, type=click.IntRange(1), metavar="N", help="Take a rule away."
)
@click.option("--escalation", type=click.Choice(ESCALATIONS), help="Where poor answers go.")
@click.option(
    "--hold-first-tokens/--no-hold-first-tokens",
    default=None,
    help="Let streams wait a little, so that a poor answer can be replaced.",
)
@click.option("--when-spent", type=click.Choice(WHEN_SPENT), help="When a budget is spent.")
@click.option("--when-left", type=click.Choice(WHEN_LEFT), help="When a stream's program left.")
@click.option("--requests-per-minute", metavar="N", help="Ask no more often; none: no limit.")
@click.option("--tokens-per-minute", metavar="N", help="Prompts and answers; none: no limit.")
@click.option("--parallel", metavar="N", help="Requests under way at once; none: no limit.")
@click.option("--reset", is_flag=True, help="Begin with the policy of a new project.")
@click.option("--json", "as_json", is_flag=True, help="Print the policy as one JSON object.")
def policy(name: str, *, reset: bool, as_json: bool, **options: Any) -> None:
    """Print the policy of project NAME; with options, change it first."""
    path = f"/api/projects/{quote(name, safe='')}"
    now: dict[str, Any] = call("GET", path)["policy"]
    back: dict[str, Any] = dict.fromkeys(now) if reset else {}
    if reset:
        now = call("GET", "/api/policies")["default"]
    given = {option: value for option, value in options.items() if value not in (None, ())}
    if given or reset:
        now = call("PATCH", path, {"policy": back | _changes(given, now)})["policy"]
    click.echo(json.dumps(now) if as_json else "\n".join(_lines(now)))


def _changes(given: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """The fields to change; lists are those of now, less and more what is given."""
    simple = ("mode", "quality", "escalation", "hold_first_tokens", "when_spent", "when_left")
    changes = {field: given[field] for field in simple if field in given}
    if "max_cost" in given:
        changes["max_cost_usd"] = None if given["max_cost"] == "none" else given["max_cost"]
    changes |= {name: _limit(name, given[name]) for name in _LIMITS if name in given}
    if "allow" in given:
        changes["providers"] = None if "all" in given["allow"] else list(given["allow"])
    if "private" in given:
        changes["privacy"] = [kind for kind in given["private"] if kind != "none"]
    if "pin" in given or "unpin" in given:
        changes["pins"] = _pins(given, now["pins"])
    if "pattern" in given or "no_pattern" in given:
        gone = _there(given.get("no_pattern", ()), now["patterns"], "pattern")
        kept = [pattern for pattern in now["patterns"] if pattern not in gone]
        changes["patterns"] = [*kept, *given.get("pattern", ())]
    if "rule" in given or "drop_rule" in given:
        numbers = _there(given.get("drop_rule", ()), range(1, len(now["rules"]) + 1), "rule")
        kept = [rule for number, rule in enumerate(now["rules"], 1) if number not in numbers]
        changes["rules"] = [*kept, *given.get("rule", ())]
    return changes


def _limit(name: str, text: str) -> int | None:
    if text == "none":
        return None
    if not text.isdecimal():
        raise click.UsageError(f"--{name.replace('_', '-')} is a whole number, or none.")
    return int(text)


def _pins(given: Mapping[str, Any], now: Mapping[str, list[str]]) -> dict[str, list[str]]:
    gone = _there([tier.upper() for tier in given.get("unpin", ())], now, "pinned tier")
    pins = {tier: models for tier, models in now.items() if tier not in gone}
    for text in given.get("pin", ()):
        tier, equals, models = text.partition("=")
        if not (equals and tier.strip() and models.strip(" ,")):
            raise click.UsageError(
                f"{text!r} is no pin; write TIER=MODEL, such as COMPLEX=openai/gpt-6.2-sol."
            )
        pins[tier.strip().upper()] = [word.strip() for word in models.split(",") if word.strip()]
    return pins


def _there(wanted: Any, there: Any, what: str) -> set[Any]:
    """What is to go, which must be there: a slip would leave what was meant to go."""
    for one in wanted:
        if one not in there:
            raise click.UsageError(f"There is no {what} {one!r} to take away.")
    return set(wanted)


def _lines(now: Mapping[str, Any]) -> list[str]:
    """The policy for people, a line for each wish; what asks for nothing says so."""
    pins = [f"  {tier}: {', then '.join(models)}" for tier, models in now["pins"].items()]
    rules = [f"  {number}. {rule}" for number, rule in enumerate(now["rules"], 1)]
    cost = now["max_cost_usd"]
    return [
        f"mode: {now['mode']} – {_MEANINGS['mode', now['mode']]}",
        f"quality: {now['quality']:g} (0: strong models seldom, 1: often)",
        *_listed("models of its own", pins),
        f"may be called: this machine, {', '.join(now['providers'] or ['every provider'])}",
        f"most that a request may cost: {'no limit' if cost is None else '$' + cost}",
        f"stays on this machine: {', '.join(now['privacy']) or 'nothing by kind'}",
        *_listed("patterns that stay too", [f"  {pattern}" for pattern in now["patterns"]]),
        *_listed("rules, the first that holds counts", rules),
        f"poor answers: {now['escalation']} – {_MEANINGS['escalation', now['escalation']]}",
        f"streams wait for their first tokens: {'yes' if now['hold_first_tokens'] else 'no'}",
        f"budget spent: {now['when_spent']} – {_MEANINGS['when_spent', now['when_spent']]}",
        f"program left a stream: {now['when_left']} – {_MEANINGS['when_left', now['when_left']]}",
        *(f"{name.replace('_', ' ')}: {now[name] or 'no limit'}" for name in _LIMITS),
    ]


def _listed(title: str, lines: list[str]) -> list[str]:
    return [f"{title}:", *lines] if lines else [f"{title}: none"]
