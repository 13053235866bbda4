"""Ollama's native API: clients speak it to us; Ollama itself is called by chat completions.

Source: github.com/ollama/ollama, api/types.go and server/routes.go.
"""

from larouter.wire.ollama.calls import returned
from larouter.wire.ollama.conversation import LOSSES, conversation
from larouter.wire.ollama.writer import Writer, write_error
from larouter.wire.road import Dialect

DIALECT = Dialect(
    name="ollama",
    conversation=conversation,
    writer=Writer,
    write_error=write_error,
    losses=LOSSES,
    stream_type="application/x-ndjson",
    returned=returned,
)
