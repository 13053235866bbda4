"""Gemini's `generateContent`: clients speak it to us (Gemini CLI, google-genai), we to Google."""

from __future__ import annotations

from larouter.wire.gemini import losses
from larouter.wire.gemini.conversation import read_conversation
from larouter.wire.gemini.errors import write_error
from larouter.wire.gemini.outbound import pass_on, write
from larouter.wire.gemini.reader import GeminiReader
from larouter.wire.gemini.relay import Relay
from larouter.wire.gemini.request import read_request
from larouter.wire.gemini.writer import GeminiWriter
from larouter.wire.road import Dialect, Wire

__all__ = ["DIALECT", "WIRE", "read_request"]

DIALECT = Dialect(
    name="gemini",
    conversation=read_conversation,
    writer=GeminiWriter,
    write_error=write_error,
    losses=losses.OF_DIALECT,
)

WIRE = Wire(
    name="gemini",
    write=write,
    reader=GeminiReader,
    pass_on=pass_on,
    relay=Relay,
    losses=losses.OF_WIRE,
)
