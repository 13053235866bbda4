"""Which templates are replaced, and that the engine renders the new one as the old one."""

import jinja2
import pytest

from larouter.engines.files import Files
from larouter.engines.gguf import read_head
from larouter.engines.templates import with_tools
from tests.engines.starter import STARTER, user

CHATML = "{{'<|im_start|>system\\nBe kind.<|im_end|>\\n<|im_start|>' + message['role']}}"


@pytest.fixture
def own_template(tmp_path):
    path = Files(tmp_path, tmp_path / "verified.json").find(STARTER)
    assert path is not None
    return jinja2.Environment(autoescape=False).from_string(  # noqa: S701 - not HTML
        read_head(path).template
    )


def test_a_plain_chatml_template_learns_tools():
    assert "<tool_call>" in with_tools(CHATML)


def test_the_default_system_message_stays():
    assert "'Be kind.'" in with_tools(CHATML)


def test_a_template_without_a_default_system_message_gets_none():
    assert "set system = ''" in with_tools("{{ '<|im_start|>' + message['role'] }}")


@pytest.mark.parametrize("template", ["", "[INST]{{ x }}", CHATML + "{% if tools %}{% endif %}"])
def test_any_other_template_is_used_as_it_is(template):
    assert with_tools(template) == ""


@pytest.mark.engine
@pytest.mark.parametrize("start", [[], [{"role": "system", "content": "Be brief."}]])
def test_a_conversation_without_tools_is_rendered_by_the_letter(client, own_template, start):
    messages = [*start, *user("Hi"), {"role": "assistant", "content": "Hello"}, *user("Bye")]

    prompt = client.post("/apply-template", {"messages": messages}).json()["prompt"]

    assert prompt == own_template.render(messages=messages, add_generation_prompt=True)


@pytest.mark.engine
def test_tools_calls_and_results_are_rendered(client):
    call = {"name": "weather", "arguments": '{"city": "Paris"}'}
    messages = [
        *user("How is the weather?"),
        {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": call}]},
        {"role": "tool", "tool_call_id": "1", "content": "sunny"},
    ]
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {}}}]

    body = {"messages": messages, "tools": tools}
    prompt = client.post("/apply-template", body).json()["prompt"]

    assert (
        '<tool_call>\n{"name": "weather", "arguments": {"city": "Paris"}}\n</tool_call>' in prompt
    )
    assert "<tool_response>\nsunny\n</tool_response>" in prompt
    assert "</tools>" in prompt
