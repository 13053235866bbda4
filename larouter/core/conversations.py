"""Remembers who answers a conversation, so that it does not change its model at every turn.

In memory only, and never a word: keys are hashes under a secret of this process, values are names
and numbers (TRUST S11). A restart forgets; the next turn is then routed as if it were the first.

A conversation is known by the name that its client gives it. Without one it is known by its
history: what was answered is remembered under a hash of all that the user has said up to there, and
a follow-up finds the longest beginning of its own history that is remembered. So two conversations
that begin with the same words share what was the same for both, and part where they part.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import blake2b
from secrets import token_bytes
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from larouter.core.catalog import Model
from larouter.core.chat import ChatRequest, Message
from larouter.core.route import Decision

MOST = 20_000
"""Conversations, or turns of those without a name; about 10 MB."""
KEPT_S = 6 * 3_600
"""After a pause this long a conversation begins anew: every provider's cache is cold by then."""
THANKS = "HEARTBEAT"
"""The tier of greetings and thanks: who answers those does not take a conversation over."""
_LOOKED_BACK = 4
"""Turns of the user. A follow-up has one more than what was answered before it, or a few."""
_EDGE = 64
"""Characters of each end of a message that are hashed, beside its length. Two that are equal in all
three are the same, or so alike that no harm comes of it."""
_INSTRUCTIONS = frozenset({"system", "developer"})

Key = bytes


class Seen(Struct, frozen=True, gc=False):
    """The last answered turn of a conversation."""

    model: str
    """The key of the model that answered."""
    tier: str
    """`-`: none."""
    prompt_tokens: int
    """Of its last request: what a provider's cache may hold."""
    at: float
    """When its last answer began, by the clock of `Conversations`."""
    tools: bool = False
    """Did it offer tools?"""
    private: str | None = None
    """The first kind of text that may not leave this machine, if any was ever said."""


class _Keys(NamedTuple):
    own: Key
    """Under this the answer to a request is remembered."""
    known: Sequence[Key]
    """Under one of these the turn before it may be remembered, the surest first."""


class Conversations:
    """The least recently used is forgotten first. A project sees its own conversations only."""

    def __init__(self, clock: Callable[[], float], *, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._secret = token_bytes(16)
        self._kept: OrderedDict[Key, Seen] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, request: ChatRequest) -> Seen | None:
        """What is known of the conversation that `request` goes on with, if it does."""
        return self._find(self._keys(request).known)

    def age_s(self, seen: Seen) -> float:
        """For how many seconds the conversation has been silent."""
        return self._clock() - seen.at

    def keep_private(self, request: ChatRequest, kind: str) -> None:
        """Something in `request` may not leave this machine, and from now on nothing that follows
        may. To be called before it is answered: an answer that fails changes nothing about it."""
        keys = self._keys(request)
        before = self._find(keys.known) or Seen(
            model="", tier="-", prompt_tokens=0, at=self._clock()
        )
        self._keep(keys.own, replace(before, private=before.private or kind))

    def note(self, request: ChatRequest, decision: Decision, model: Model) -> None:
        """An answer of `model` to `request` has begun."""
        keys = self._keys(request)
        before = self._find(keys.known)
        found = (self._find([keys.own]), before)
        private = next((seen.private for seen in found if seen and seen.private), None)
        if not _is_aside(request, decision, before):
            # Within a turn the model may be a stand-in, of another tier than the turn's own.
            tier = before.tier if before and not is_fresh(request) else decision.tier
            seen = Seen(
                model=model.key,
                tier=tier,
                prompt_tokens=decision.numbers.prompt_tokens,
                at=self._clock(),
                tools="tools" in request.needs,
                private=private,
            )
            self._keep(keys.own, seen)
        elif before is not None:
            self._keep(keys.own, replace(before, private=private))

    def answered(self, request: ChatRequest, response_id: str) -> None:
        """The answer to `request` is stored: what goes on from this id is this conversation."""
        keys = self._keys(request)
        seen = self._find([keys.own, *keys.known])
        if seen is not None:
            self._keep(self._named(request, "response", response_id), seen)

    def _find(self, keys: Sequence[Key]) -> Seen | None:
        oldest = self._clock() - KEPT_S
        for key in keys:
            seen = self._kept.get(key)
            if seen is not None and seen.at > oldest:
                self._kept.move_to_end(key)
                return seen
        return None

    def _keep(self, key: Key, seen: Seen) -> None:
        self._kept[key] = seen
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def _keys(self, request: ChatRequest) -> _Keys:
        if request.session is not None:
            key = self._named(request, "session", request.session)
            return _Keys(key, (key,))
        said = _said(request.messages)
        first = max(1, len(said) - _LOOKED_BACK)
        hashed = self._hash(request, said[:first])
        keys = [hashed.digest()]
        for piece in said[first:]:
            hashed.update(piece.encode("utf-8", "surrogatepass"))
            keys.append(hashed.digest())
        # Instructions alone are no conversation, and a fresh turn goes on with those before it.
        last = len(keys) - 1 if is_fresh(request) else len(keys)
        known = keys[1 if first == 1 else 0 : last][::-1]
        previous = request.body.get("previous_response_id")
        if type(previous) is str:
            known.insert(0, self._named(request, "response", previous))
        return _Keys(keys[-1], known)

    def _named(self, request: ChatRequest, kind: str, name: str) -> Key:
        return self._hash(request, (kind, name)).digest()

    def _hash(self, request: ChatRequest, pieces: Sequence[str]) -> blake2b:
        """A hash to go on with; of the project's own conversations, and of one end user's where
        the client names one."""
        body = request.body
        metadata = body.get("metadata")
        user = metadata.get("user_id") if type(metadata) is dict else body.get("user")
        owner = f"{request.project}\0{user}\0{body.get('prompt_cache_key')}\0"
        text = owner + "".join(pieces)
        return blake2b(text.encode("utf-8", "surrogatepass"), key=self._secret, digest_size=16)


def _is_aside(request: ChatRequest, decision: Decision, before: Seen | None) -> bool:
    """A turn that leaves the conversation as it was: thanks, a question to a model or tier by
    name, and what agents ask beside their work (a title, a summary), which comes without tools."""
    if decision.stage == "explicit" or decision.tier == THANKS:
        return True
    return before is not None and is_beside(before, request)


def is_beside(seen: Seen, request: ChatRequest) -> bool:
    """Is this a question that an agent asks beside its work?"""
    return seen.tools and "tools" not in request.needs


def is_fresh(request: ChatRequest) -> bool:
    """Does the user speak, and not a tool? Only then may a conversation change its model."""
    return not request.answers and bool(request.messages) and request.messages[-1].role == "user"


def _said(messages: Sequence[Message]) -> list[str]:
    """The instructions that come first, then what the user has said, message by message. What was
    answered is left out: clients shorten it, and agents add to it."""
    instructions = ""
    said = []
    for role, text in messages:
        if role == "user":
            said.append(_cut(text))
        elif not said and role in _INSTRUCTIONS:
            instructions += _cut(text)
    return [instructions, *said]


def _cut(text: str) -> str:
    size = len(text)
    return f"{size}\0{text if size <= 2 * _EDGE else text[:_EDGE] + text[-_EDGE:]}\0"
