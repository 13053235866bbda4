"""Which conversation a request belongs to, as far as its client says so.

Read of the programs themselves: Claude Code 2.1.330, Codex 0.169.0, opencode 1.18.33; Gemini CLI
0.61.0 and most chat clients say nothing, so their conversations are known by their history.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from larouter.core.errors import BadRequest

LONGEST = 200
"""Characters of a conversation's name."""

NAMES = (
    ("HTTP_X_SESSION_ID", "x-session-id"),  # opencode, and whoever wants to
    ("HTTP_X_CLAUDE_CODE_SESSION_ID", "x-claude-code-session-id"),
    ("HTTP_THREAD_ID", "thread-id"),  # Codex: a thread is one agent's, a session all of them
    ("HTTP_SESSION_ID", "session-id"),
    ("HTTP_X_SESSION_AFFINITY", "x-session-affinity"),
)
"""Headers that name a conversation, the first that is there counts."""

_WITHIN = ("HTTP_X_CLAUDE_CODE_AGENT_ID", "HTTP_X_CLAUDE_CODE_AUXILIARY_TYPE")
"""A session of Claude Code holds several conversations: each agent's, and its side questions."""

_OLD_USER_ID = re.compile(r"_session_([0-9A-Za-z-]{8,})$")
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def session_of(environ: Mapping[str, Any], body: Mapping[str, Any]) -> str | None:
    """The conversation's name, or None if there is none. Raises `BadRequest` for an odd one."""
    for key, name in NAMES:
        value = environ.get(key)
        if value:
            within = (environ[part][:LONGEST] for part in _WITHIN if part in environ)
            return "/".join((_checked(name, value), *within))
    metadata = body.get("metadata")
    user = metadata.get("user_id") if type(metadata) is dict else None
    return _session_in(user) if type(user) is str else None


def _checked(name: str, value: str) -> str:
    if len(value) > LONGEST or not value.isprintable():
        raise BadRequest(f"{name} has at most {LONGEST} printable characters.")
    return value


def _session_in(user: str) -> str | None:
    """Claude Code's name of the session inside its id of the user: JSON, `user_…_session_…` before.
    The id of a user alone is no conversation."""
    if user.startswith("{"):
        try:
            found = _decode(user).get("session_id")
        except msgspec.MsgspecError:
            return None
        return found[:LONGEST] if type(found) is str and found else None
    match = _OLD_USER_ID.search(user[-LONGEST:])
    return match[1] if match else None
