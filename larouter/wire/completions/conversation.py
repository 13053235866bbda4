"""A legacy completion for a model that talks: the prompt is what the user says."""

from __future__ import annotations

from larouter.core.chat import ChatRequest
from larouter.core.conversation import Conversation, Text, Turn
from larouter.core.errors import CannotCarry
from larouter.wire import fields
from larouter.wire.losses import Loss

LOSSES = (
    Loss("suffix", "refused", "a chat model cannot fill a gap in a text", ("",)),
    Loss("echo", "refused", "a chat model's answer is not the end of its prompt", (False,)),
    Loss("logprobs", "refused", "other formats do not tell how likely a word was"),
    Loss("n", "refused", "other formats give one answer a request", (1,)),
    Loss("best_of", "refused", "other formats give one answer a request", (1,)),
    Loss("logit_bias", "left out", "token numbers mean something to one model only"),
)

_READ = frozenset(
    {"model", "prompt", "max_tokens", "temperature", "top_p", "stop", "seed", "presence_penalty"}
    | {"frequency_penalty", "user", "stream", "stream_options"}
)


def conversation(request: ChatRequest) -> Conversation:
    """Read the whole request. Raises `CannotCarry` for more than one prompt, or tokens."""
    body = request.body
    if len(request.messages) != 1:
        raise CannotCarry(
            "The model that answers takes one prompt as text, not several and not the numbers of "
            "tokens. Send one request for each prompt.",
            param="prompt",
        )
    return Conversation(
        turns=(Turn("user", (Text(text=request.messages[0].text),)),),
        # 0 is for those who want `echo` alone; a chat model says at least a word.
        max_output=None if request.max_output is None else max(1, request.max_output),
        temperature=body.get("temperature"),
        top_p=body.get("top_p"),
        stop=fields.texts(body, "stop"),
        seed=fields.whole(body, "seed"),
        presence_penalty=body.get("presence_penalty"),
        frequency_penalty=body.get("frequency_penalty"),
        user=fields.text(body, "user") or None,
        extra={name: value for name, value in body.items() if name not in _READ},
    )
