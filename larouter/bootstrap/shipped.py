"""What the package brings along and nobody changes, read once in a process."""

from __future__ import annotations

from functools import cache

from larouter.classify.default import Default
from larouter.classify.follows import Follows
from larouter.classify.learned import Learned
from larouter.classify.rules import Rules
from larouter.config import folder


@cache
def text(name: str) -> str:
    """A file of `larouter/data`."""
    return (folder("data") / name).read_text("utf-8")


@cache
def stages() -> tuple[Rules, Learned | Default, Follows]:
    """The classifier's parts, which hold nothing of what they were asked."""
    phrases = text("rules.toml")
    weights = folder("data") / "learned.npz"
    last = Learned(weights) if weights.exists() else Default()
    return Rules(phrases), last, Follows(phrases)
