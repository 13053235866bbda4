"""OpenAI's legacy completions: a prompt that is continued, no turns. Editors use it to fill gaps.

A provider that has it gets the client's body; others get the prompt as one turn of a chat.
Sources: OpenAI API reference, "Create completion"; api-docs.deepseek.com, "FIM completion".
"""

from larouter.wire.chat.writer import write_error
from larouter.wire.completions.conversation import LOSSES, conversation
from larouter.wire.completions.outbound import WIRE_LOSSES, pass_on, write
from larouter.wire.completions.reader import Reader
from larouter.wire.completions.relay import Relay
from larouter.wire.completions.writer import Writer
from larouter.wire.road import Dialect, Wire

DIALECT = Dialect(
    name="completions",
    conversation=conversation,
    writer=Writer,
    write_error=write_error,
    losses=LOSSES,
)
WIRE = Wire(
    name="completions",
    write=write,
    reader=Reader,
    pass_on=pass_on,
    relay=Relay,
    losses=WIRE_LOSSES,
)
