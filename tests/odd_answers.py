"""One rich answer of every wire, whole and as the events of a stream: what odd answers come of."""

import json

from larouter.wire import sse

_ARGUMENTS = '{"city":"a"}'
_CHAT_USAGE = {
    "prompt_tokens": 5,
    "completion_tokens": 3,
    "prompt_tokens_details": {"cached_tokens": 1},
    "completion_tokens_details": {"reasoning_tokens": 1},
}
_SAID = {
    "role": "assistant",
    "content": "hi",
    "reasoning_content": "hm",
    "reasoning_details": [{"type": "reasoning.text", "text": "hm", "signature": "s", "id": "i"}],
    "refusal": "no",
    "tool_calls": [
        {
            "index": 0,
            "id": "c1",
            "type": "function",
            "function": {"name": "weather", "arguments": _ARGUMENTS},
            "extra_content": {"google": {"thought_signature": "x"}},
        }
    ],
}
_CHAT = {"id": "x", "model": "m"}
_ANTHROPIC_USAGE = {
    "input_tokens": 5,
    "output_tokens": 3,
    "cache_read_input_tokens": 1,
    "cache_creation": {"ephemeral_1h_input_tokens": 0},
}
_ANTHROPIC = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m"}
_GEMINI = {
    "candidates": [
        {
            "content": {
                "role": "model",
                "parts": [
                    {"text": "hm", "thought": True, "thoughtSignature": "s="},
                    {"text": "hi"},
                    {
                        "functionCall": {"id": "c", "name": "weather", "args": {"city": "a"}},
                        "thoughtSignature": "s=",
                    },
                ],
            },
            "finishReason": "STOP",
            "finishMessage": "x",
            "index": 0,
        }
    ],
    "usageMetadata": {
        "promptTokenCount": 5,
        "candidatesTokenCount": 3,
        "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 1}],
    },
    "modelVersion": "m",
    "responseId": "r",
}
_THOUGHT = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "hm"}],
    "content": [{"type": "reasoning_text", "text": "hm"}],
    "encrypted_content": "e",
}
_MESSAGE = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [
        {"type": "output_text", "text": "hi", "annotations": []},
        {"type": "refusal", "refusal": "no"},
    ],
}
_CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "c1",
    "name": "weather",
    "arguments": _ARGUMENTS,
    "status": "completed",
}
_RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "model": "m",
    "error": None,
    "incomplete_details": None,
    "output": [_THOUGHT, _MESSAGE, _CALL],
    "usage": {
        "input_tokens": 5,
        "output_tokens": 3,
        "input_tokens_details": {"cached_tokens": 1},
        "output_tokens_details": {"reasoning_tokens": 1},
    },
}

WHOLE = {
    "chat": {
        **_CHAT,
        "choices": [{"index": 0, "message": _SAID, "finish_reason": "tool_calls"}],
        "usage": _CHAT_USAGE,
    },
    "completions": {
        **_CHAT,
        "choices": [{"text": "hi", "index": 0, "finish_reason": "stop"}],
        "usage": _CHAT_USAGE,
    },
    "anthropic": {
        **_ANTHROPIC,
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "redacted_thinking", "data": "d"},
            {"type": "text", "text": "hi"},
            {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "a"}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": _ANTHROPIC_USAGE,
    },
    "gemini": _GEMINI,
    "responses": _RESPONSE,
}

STREAMS = {
    "chat": [
        {**_CHAT, "choices": [{"index": 0, "delta": _SAID, "finish_reason": None}]},
        {**_CHAT, "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
        {**_CHAT, "choices": [], "usage": _CHAT_USAGE},
    ],
    "completions": [
        {**_CHAT, "choices": [{"text": "hi", "index": 0, "finish_reason": None}]},
        {**_CHAT, "choices": [{"text": "", "finish_reason": "stop"}], "usage": _CHAT_USAGE},
    ],
    "anthropic": [
        {
            "type": "message_start",
            "message": {**_ANTHROPIC, "content": [], "usage": _ANTHROPIC_USAGE},
        },
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "thinking", "thinking": "", "signature": ""},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "thinking_delta", "thinking": "hm"},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "signature_delta", "signature": "s"},
        },
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "hi"}},
        {"type": "content_block_stop", "index": 1},
        {
            "type": "content_block_start",
            "index": 2,
            "content_block": {"type": "tool_use", "id": "t1", "name": "weather", "input": {}},
        },
        {
            "type": "content_block_delta",
            "index": 2,
            "delta": {"type": "input_json_delta", "partial_json": _ARGUMENTS},
        },
        {"type": "content_block_stop", "index": 2},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "tool_use", "stop_sequence": None},
            "usage": _ANTHROPIC_USAGE,
        },
        {"type": "message_stop"},
    ],
    "gemini": [
        {"candidates": [{"content": {"parts": [{"text": "hi"}]}}], "responseId": "r"},
        _GEMINI,
    ],
    "responses": [
        {"type": "response.created", "response": {**_RESPONSE, "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": _MESSAGE},
        {
            "type": "response.output_text.delta",
            "output_index": 0,
            "content_index": 0,
            "delta": "hi",
            "sequence_number": 2,
        },
        {"type": "response.output_item.done", "output_index": 0, "item": _MESSAGE},
        {
            "type": "response.reasoning_summary_part.added",
            "output_index": 1,
            "summary_index": 0,
            "part": {},
        },
        {
            "type": "response.reasoning_summary_text.delta",
            "output_index": 1,
            "summary_index": 0,
            "delta": "hm",
        },
        {"type": "response.output_item.done", "output_index": 1, "item": _THOUGHT},
        {"type": "response.output_item.added", "output_index": 2, "item": _CALL},
        {
            "type": "response.function_call_arguments.delta",
            "output_index": 2,
            "delta": _ARGUMENTS,
        },
        {"type": "response.output_item.done", "output_index": 2, "item": _CALL},
        {"type": "response.completed", "response": _RESPONSE},
    ],
}


def as_stream(wire, events):
    """The events as the provider's bytes."""
    done = b"data: [DONE]\n\n" if wire in ("chat", "completions") else b""
    return b"".join(sse.write(json.dumps(event).encode()) for event in events) + done
