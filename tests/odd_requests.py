"""One rich request of every dialect, without its model: what odd requests are made of."""

PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": ["string", "null"], "description": "Where", "enum": ["a", "b"]},
        "n": {"$ref": "#/$defs/n"},
        "list": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"const": 1}]}},
    },
    "required": ["city"],
    "$defs": {"n": {"type": "number", "allOf": [{"maximum": 2**64 - 1}]}},
}

_PICTURE_URL = f"data:image/png;base64,{PICTURE}"
_FUNCTION = {"name": "weather", "description": "d", "parameters": SCHEMA, "strict": True}
_GRAMMAR = {"syntax": "lark", "definition": "start: A"}
_ARGUMENTS = '{"city":"a"}'

CHAT = {
    "messages": [
        {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
        {
            "role": "user",
            "name": "Bob",
            "content": [
                {"type": "text", "text": "Hi"},
                {"type": "image_url", "image_url": {"url": _PICTURE_URL, "detail": "low"}},
            ],
        },
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "ok"}, {"type": "refusal", "refusal": "no"}],
            "reasoning_content": "hm",
            "reasoning_details": [
                {"type": "reasoning.text", "text": "hm", "signature": "lar1.anthropic.abc"},
                {"type": "reasoning.encrypted", "data": "abc"},
            ],
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": _ARGUMENTS},
                    "extra_content": {"google": {"thought_signature": "abc="}},
                },
                {"id": "call_2", "type": "custom", "custom": {"name": "plain", "input": "abc"}},
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "sunny"}]},
        {"role": "tool", "tool_call_id": "call_2", "content": "done"},
        {"role": "user", "content": "go on"},
    ],
    "tools": [
        {"type": "function", "function": _FUNCTION},
        {
            "type": "custom",
            "custom": {"name": "plain", "format": {"type": "grammar", "grammar": _GRAMMAR}},
        },
    ],
    "tool_choice": {"type": "function", "function": {"name": "weather"}},
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "a", "description": "d", "strict": True, "schema": SCHEMA},
    },
    "parallel_tool_calls": True,
    "max_completion_tokens": 100,
    "temperature": 0.5,
    "top_k": 5,
    "seed": 1,
    "presence_penalty": 0.1,
    "reasoning_effort": "low",
    "thinking": {"type": "enabled", "budget_tokens": 2000},
    "user": "u",
    "n": 1,
    "logprobs": False,
    "logit_bias": {"1": 1},
    "modalities": ["text"],
    "chat_template_kwargs": {"enable_thinking": True},
    "stream_options": {"include_usage": True},
}
RESPONSES = {
    "instructions": "Be brief.",
    "input": [
        {"role": "user", "content": "plain"},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Hi"},
                {"type": "input_image", "image_url": _PICTURE_URL, "detail": "auto"},
            ],
        },
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "hm"}],
            "content": [{"type": "reasoning_text", "text": "hm"}],
            "encrypted_content": "lar1.anthropic.abc",
        },
        {
            "type": "message",
            "id": "msg_1",
            "status": "completed",
            "role": "assistant",
            "content": [
                {"type": "output_text", "text": "ok", "annotations": [], "logprobs": []},
                {"type": "refusal", "refusal": "no"},
            ],
        },
        {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_1",
            "name": "weather",
            "namespace": "ns",
            "arguments": _ARGUMENTS,
        },
        {"type": "custom_tool_call", "call_id": "call_2", "name": "plain", "input": "abc"},
        {
            "type": "function_call_output",
            "call_id": "call_1",
            "output": [{"type": "input_text", "text": "x"}],
        },
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": "y"},
        {"type": "web_search_call", "id": "ws_1", "action": {}},
        {"type": "compaction", "encrypted_content": "lar1.larouter.aGk="},
        {"type": "additional_tools", "tools": [{"type": "function", "name": "late"}]},
        {"type": "message", "role": "developer", "content": "late"},
    ],
    "tools": [
        {"type": "function", **_FUNCTION},
        {"type": "custom", "name": "plain", "format": {"type": "grammar", **_GRAMMAR}},
        {"type": "namespace", "name": "ns", "tools": [{"type": "function", "name": "inner"}]},
        {"type": "web_search"},
    ],
    "tool_choice": {
        "type": "allowed_tools",
        "mode": "auto",
        "tools": [{"type": "function", "name": "weather"}],
    },
    "text": {"format": {"type": "json_schema", "name": "a", "schema": SCHEMA}, "verbosity": "low"},
    "reasoning": {"effort": "low", "summary": "auto"},
    "max_output_tokens": 100,
    "temperature": 0.5,
    "parallel_tool_calls": True,
    "user": "u",
    "metadata": {"a": "b"},
    "include": ["reasoning.encrypted_content"],
    "store": False,
    "stream_options": {"include_obfuscation": False},
}
COMPLETIONS = {
    "prompt": ["Hi"],
    "max_tokens": 10,
    "temperature": 0.5,
    "n": 1,
    "seed": 1,
    "echo": False,
    "suffix": "",
    "logit_bias": {"1": 1},
    "user": "u",
    "stream_options": {"include_usage": True},
}
ANTHROPIC = {
    "max_tokens": 5000,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}},
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": PICTURE},
                },
                {
                    "type": "document",
                    "title": "t",
                    "source": {"type": "content", "content": [{"type": "text", "text": "x"}]},
                },
                {
                    "type": "search_result",
                    "title": "t",
                    "source": "s",
                    "content": [{"type": "text", "text": "x"}],
                },
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "lar1.gemini.abc"},
                {"type": "redacted_thinking", "data": "abc"},
                {"type": "text", "text": "ok"},
                {"type": "tool_use", "id": "call.1", "name": "weather", "input": {"city": "a"}},
                {"type": "compaction", "content": "sum"},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "call.1",
                    "is_error": True,
                    "content": [
                        {"type": "text", "text": "bad"},
                        {"type": "image", "source": {"type": "url", "url": "https://e.com/a.png"}},
                    ],
                },
                {"type": "text", "text": "and"},
            ],
        },
        {"role": "system", "content": "late"},
    ],
    "tools": [
        {"name": "weather", "description": "d", "input_schema": SCHEMA, "strict": True},
        {"type": "web_search_20250305", "name": "web_search"},
    ],
    "tool_choice": {"type": "tool", "name": "weather", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 2000, "display": "omitted"},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
    "temperature": 0.5,
    "top_k": 5,
    "metadata": {"user_id": "u"},
    "betas": ["b"],
    "mcp_servers": [],
}
GEMINI = {
    "contents": [
        {
            "role": "user",
            "parts": [
                {"text": "Hi"},
                {"inlineData": {"mimeType": "image/png", "data": PICTURE}},
            ],
        },
        {
            "role": "model",
            "parts": [
                {"text": "hm", "thought": True, "thoughtSignature": "abc="},
                {"text": "ok"},
                {
                    "functionCall": {"id": "c1", "name": "weather", "args": {"city": "a"}},
                    "thoughtSignature": "bGFyMS5hbnRocm9waWMuYWJj",
                },
            ],
        },
        {
            "role": "user",
            "parts": [
                {
                    "functionResponse": {
                        "id": "c1",
                        "name": "weather",
                        "response": {"output": "x"},
                        "parts": [{"inlineData": {"mimeType": "image/png", "data": PICTURE}}],
                    }
                },
                {"text": "go"},
            ],
        },
    ],
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "tools": [
        {
            "functionDeclarations": [
                {"name": "weather", "description": "d", "parametersJsonSchema": SCHEMA},
                {
                    "name": "b",
                    "parameters": {
                        "type": "OBJECT",
                        "properties": {"a": {"type": "STRING", "nullable": True, "minLength": "1"}},
                    },
                },
            ]
        }
    ],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}},
    "generationConfig": {
        "maxOutputTokens": 100,
        "temperature": 0.5,
        "topK": 5,
        "seed": 1,
        "candidateCount": 1,
        "responseMimeType": "application/json",
        "responseJsonSchema": SCHEMA,
        "thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": True},
    },
    "safetySettings": [{"category": "x", "threshold": "y"}],
}
OLLAMA = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi", "images": [PICTURE]},
        {
            "role": "assistant",
            "content": "ok",
            "thinking": "hm",
            "tool_calls": [
                {"id": "c1", "function": {"name": "weather", "arguments": {"city": "a"}}},
                {"function": {"name": "weather", "arguments": {}}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "x"},
        {"role": "tool", "tool_name": "weather", "content": "y"},
    ],
    "tools": [{"type": "function", "function": _FUNCTION}],
    "format": SCHEMA,
    "think": "low",
    "keep_alive": "5m",
    "options": {"num_predict": 10, "temperature": 0.5, "top_k": 5, "seed": 1, "num_ctx": 100},
}
GENERATE = {
    "prompt": "Hi",
    "system": "s",
    "images": [PICTURE],
    "format": "json",
    "think": True,
    "raw": False,
    "template": "",
    "options": {"num_predict": 10},
}
