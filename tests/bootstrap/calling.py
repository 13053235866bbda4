"""One call through a whole house."""

import json

from larouter.core.chat import ChatRequest, Message
from larouter.core.ports import Leaving


def call(services, model, id="req_1"):
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}]}
    request = ChatRequest(
        model=model, messages=(Message("user", "Hi"),), body=body, size=len(json.dumps(body))
    )
    services.projects.ensure_default()
    project = services.projects.get("default")
    answer = services.gateway.answer(project, request, id, Leaving())
    try:
        return answer.finish()
    finally:
        answer.close()
