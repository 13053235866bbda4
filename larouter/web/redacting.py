"""Log lines without secrets: the last net below the rule that no secret gets to a log (TRUST S6).

It works on the finished line, so it sees what a traceback or somebody else's library wrote too.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

_HIDDEN = "[hidden]"
# Our own bearers and the admin's key, and what providers' keys look like.
_SHAPES = re.compile(r"\b(?:lra?_[\w-]{20,}|sk-[\w-]{16,}|AIza[\w-]{20,}|gsk_\w{16,}|xai-\w{16,})")
# A shorter one would be a word of some other line.
_SHORTEST = 8


class Redacting(logging.Formatter):
    """Forms a line, then takes out what is secret."""

    def __init__(self, form: str, secrets: Callable[[], frozenset[str]] = frozenset) -> None:
        super().__init__(form)
        self.secrets = secrets
        """Asked for each line: keys come while the server runs."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        for secret in self.secrets():
            if len(secret) >= _SHORTEST:
                line = line.replace(secret, _HIDDEN)
        return _SHAPES.sub(_HIDDEN, line)
