"""Anthropic's Messages: clients speak it to us (Claude Code, its SDKs), we speak it to Anthropic.

Sources: Claude API reference and docs (platform.claude.com), the SDK anthropic 2.12.0.
"""

from larouter.wire.anthropic.conversation import LOSSES, conversation
from larouter.wire.anthropic.errors import write_error
from larouter.wire.anthropic.outbound import WIRE_LOSSES, write
from larouter.wire.anthropic.passing import pass_on
from larouter.wire.anthropic.reader import Reader
from larouter.wire.anthropic.relay import Relay
from larouter.wire.anthropic.writer import Writer
from larouter.wire.road import Dialect, Wire

DIALECT = Dialect(
    name="anthropic",
    conversation=conversation,
    writer=Writer,
    write_error=write_error,
    losses=LOSSES,
)
WIRE = Wire(
    name="anthropic",
    write=write,
    reader=Reader,
    pass_on=pass_on,
    relay=Relay,
    losses=WIRE_LOSSES,
)
