"""OpenAI Responses: clients (Codex among them) speak it to us; we speak it to OpenAI.

Sources: OpenAI API reference, "Responses"; the types of openai-python; Codex's own reader,
github.com/openai/codex, codex-rs/codex-api/src/sse/responses.rs.
"""

from larouter.wire.responses.conversation import LOSSES, conversation
from larouter.wire.responses.outbound import WIRE_LOSSES, pass_on, write
from larouter.wire.responses.reader import Reader
from larouter.wire.responses.relay import Relay
from larouter.wire.responses.shape import write_error
from larouter.wire.responses.writer import Writer
from larouter.wire.road import Dialect, Wire

DIALECT = Dialect(
    name="responses",
    conversation=conversation,
    writer=Writer,
    write_error=write_error,
    losses=LOSSES,
)
WIRE = Wire(
    name="responses", write=write, reader=Reader, pass_on=pass_on, relay=Relay, losses=WIRE_LOSSES
)
