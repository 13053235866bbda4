"""One conversation in each dialect: it says something, calls the tool that is asked for, goes on.

Each keeps its history as a client of that dialect does, and gives back what it was given.
"""

import json

from tests.serving import events

TOOL = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}
NAME = "weather"
RESULT = "Sunny in {city}"


class Talker:
    """`say` asks once and answers every call of a tool; it returns the last words."""

    path = ""

    def __init__(self, server, *, stream, thinks=False):
        self.server = server
        self.stream = stream
        self.thinks = thinks
        self.history = []
        self.calls = 0

    def say(self, model, text):
        self.add_user(text)
        for _ in range(8):
            said, calls = self.ask(model)
            if not calls:
                return said
            self.calls += len(calls)
            self.add_results(calls)
        raise AssertionError("it never stops calling tools")

    def add_user(self, text):
        raise NotImplementedError

    def ask(self, model):
        """Ask once; return what was said and the calls of the tool, as id and arguments."""
        raise NotImplementedError

    def add_results(self, calls):
        raise NotImplementedError

    def post(self, body, path=None):
        answer = self.server.ask("POST", path or self.path, body, stream=self.stream)
        assert answer.status_code == 200, answer.text
        return answer


class Chat(Talker):
    path = "/v1/chat/completions"

    def add_user(self, text):
        self.history.append({"role": "user", "content": text})

    def ask(self, model):
        tools = [{"type": "function", "function": {"name": NAME, "parameters": TOOL}}]
        body = {"model": model, "messages": self.history, "tools": tools, "stream": self.stream}
        answer = self.post(body | ({"reasoning_effort": "high"} if self.thinks else {}))
        message = self._joined(answer) if self.stream else answer.json()["choices"][0]["message"]
        self.history.append(message)
        calls = [
            (call["id"], json.loads(call["function"]["arguments"]))
            for call in message.get("tool_calls") or ()
        ]
        return message["content"], calls

    def _joined(self, answer):
        """As a client does that keeps only what OpenAI's reference lists."""
        *chunks, end = events(answer)
        assert end == "[DONE]"
        calls: dict = {}
        text = ""
        for delta in (chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]):
            text += delta.get("content") or ""
            for piece in delta.get("tool_calls") or ():
                call = calls.setdefault(
                    piece["index"],
                    {"id": piece.get("id"), "type": "function",
                     "function": {"name": piece["function"].get("name"), "arguments": ""}},
                )  # fmt: skip
                call["function"]["arguments"] += piece["function"].get("arguments") or ""
        message = {"role": "assistant", "content": text or None}
        return message | ({"tool_calls": list(calls.values())} if calls else {})

    def add_results(self, calls):
        self.history += [
            {"role": "tool", "tool_call_id": id, "content": RESULT.format(**arguments)}
            for id, arguments in calls
        ]


class Responses(Talker):
    path = "/v1/responses"
    keeps_history = True

    def add_user(self, text):
        self.history.append({"role": "user", "content": text})

    def ask(self, model):
        tool = {"type": "function", "name": NAME, "parameters": TOOL, "strict": False}
        body = {
            "model": model, "input": self.history, "tools": [tool], "stream": self.stream,
            "store": False, "include": ["reasoning.encrypted_content"],
        }  # fmt: skip
        if self.thinks:
            body["reasoning"] = {"effort": "high", "summary": "auto"}
        answer = self.post(self.asked(body))
        response = events(answer)[-1]["response"] if self.stream else answer.json()
        assert response["status"] == "completed"
        self.take(response)
        calls = [
            (item["call_id"], json.loads(item["arguments"]))
            for item in response["output"]
            if item["type"] == "function_call"
        ]
        texts = [item["content"][0]["text"] for item in response["output"]
                 if item["type"] == "message"]  # fmt: skip
        return "".join(texts), calls

    def asked(self, body):
        return body

    def take(self, response):
        self.history += response["output"]

    def add_results(self, calls):
        self.history += [
            {"type": "function_call_output", "call_id": id, "output": RESULT.format(**arguments)}
            for id, arguments in calls
        ]


class StoredResponses(Responses):
    """Sends only what is new; the server remembers the rest."""

    previous = None

    def asked(self, body):
        kept = {name: value for name, value in body.items() if name not in ("store", "include")}
        return kept | ({"previous_response_id": self.previous} if self.previous else {})

    def take(self, response):
        self.previous, self.history = response["id"], []


class Messages(Talker):
    path = "/v1/messages"

    def add_user(self, text):
        self.history.append({"role": "user", "content": text})

    def ask(self, model):
        body = {
            "model": model, "max_tokens": 4096, "messages": self.history, "stream": self.stream,
            "tools": [{"name": NAME, "input_schema": TOOL}],
        }  # fmt: skip
        if self.thinks:
            body["thinking"] = {"type": "adaptive"}
        answer = self.post(body)
        blocks = self._joined(answer) if self.stream else answer.json()["content"]
        self.history.append({"role": "assistant", "content": blocks})
        calls = [(block["id"], block["input"]) for block in blocks if block["type"] == "tool_use"]
        return "".join(block.get("text", "") for block in blocks), calls

    def _joined(self, answer):
        blocks: list = []
        inputs: dict = {}
        for event in events(answer):
            if event["type"] == "content_block_start":
                assert event["index"] == len(blocks)
                blocks.append(dict(event["content_block"]))
            elif event["type"] == "content_block_delta":
                delta, block = event["delta"], blocks[event["index"]]
                kind = delta["type"].removesuffix("_delta")
                if kind == "input_json":
                    inputs[event["index"]] = inputs.get(event["index"], "") + delta["partial_json"]
                else:
                    block[kind] = block.get(kind, "") + delta[kind]
        for index, text in inputs.items():
            blocks[index]["input"] = json.loads(text or "{}")
        assert event["type"] == "message_stop"
        return blocks

    def add_results(self, calls):
        results = [
            {"type": "tool_result", "tool_use_id": id, "content": RESULT.format(**arguments)}
            for id, arguments in calls
        ]
        self.history.append({"role": "user", "content": results})


class Gemini(Talker):
    def add_user(self, text):
        self.history.append({"role": "user", "parts": [{"text": text}]})

    def ask(self, model):
        body: dict = {
            "contents": self.history,
            "tools": [{"functionDeclarations": [{"name": NAME, "parametersJsonSchema": TOOL}]}],
        }
        if self.thinks:
            body["generationConfig"] = {"thinkingConfig": {"includeThoughts": True}}
        method = "streamGenerateContent?alt=sse" if self.stream else "generateContent"
        answer = self.post(body, f"/v1beta/models/{model}:{method}")
        chunks = events(answer) if self.stream else [answer.json()]
        parts = [
            part
            for chunk in chunks
            for part in chunk["candidates"][0].get("content", {}).get("parts", ())
        ]
        self.history.append({"role": "model", "parts": parts})
        calls = [
            (part["functionCall"].get("id"), part["functionCall"]["args"])
            for part in parts
            if "functionCall" in part
        ]
        return "".join(part.get("text", "") for part in parts if not part.get("thought")), calls

    def add_results(self, calls):
        parts = [
            {"functionResponse": {"name": NAME, "response": {"output": RESULT.format(**arguments)},
             **({"id": id} if id else {})}}
            for id, arguments in calls
        ]  # fmt: skip
        self.history.append({"role": "user", "parts": parts})


class Ollama(Talker):
    path = "/api/chat"

    def add_user(self, text):
        self.history.append({"role": "user", "content": text})

    def ask(self, model):
        tools = [{"type": "function", "function": {"name": NAME, "parameters": TOOL}}]
        answer = self.post(
            {"model": model, "messages": self.history, "tools": tools, "stream": self.stream,
             **({"think": True} if self.thinks else {})}
        )  # fmt: skip
        chunks = [json.loads(line) for line in answer.iter_lines()]
        assert chunks[-1]["done"] is True
        text = "".join(chunk["message"]["content"] for chunk in chunks)
        calls = [call for chunk in chunks for call in chunk["message"].get("tool_calls") or ()]
        message = {"role": "assistant", "content": text}
        self.history.append(message | ({"tool_calls": calls} if calls else {}))
        return text, [(None, call["function"]["arguments"]) for call in calls]

    def add_results(self, calls):
        self.history += [
            {"role": "tool", "tool_name": NAME, "content": RESULT.format(**arguments)}
            for _, arguments in calls
        ]


TALKERS = (Chat, Responses, StoredResponses, Messages, Gemini, Ollama)
