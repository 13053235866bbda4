"""OpenAI chat completions: clients speak it to us; we speak it to OpenAI, DeepSeek and engines.

Sources: OpenAI API reference, "Create chat completion"; for DeepSeek api-docs.deepseek.com.
"""

from larouter.wire.chat.conversation import LOSSES, conversation
from larouter.wire.chat.outbound import WIRE_LOSSES, pass_on, write
from larouter.wire.chat.reader import Reader
from larouter.wire.chat.relay import Relay
from larouter.wire.chat.writer import Writer, write_error
from larouter.wire.road import Dialect, Wire

DIALECT = Dialect(
    name="chat", conversation=conversation, writer=Writer, write_error=write_error, losses=LOSSES
)
WIRE = Wire(
    name="chat", write=write, reader=Reader, pass_on=pass_on, relay=Relay, losses=WIRE_LOSSES
)
