"""Codex: on OpenAI's cloud its requests pass, on the others they are translated.

It speaks in two ways: with models that it does not know it offers functions; with OpenAI's own it
offers one tool that takes JavaScript, in a namespace, in an item of the input.
"""

import json

import pytest

from tests.agents.programs import MODELS, call, codex

pytestmark = pytest.mark.agent

PROGRAM = codex
ITS_OWN = "gpt-6-luna"
PATCH = """\
*** Begin Patch
*** Add File: {}
+{}
*** End Patch
"""


def test_it_writes_a_file(desk, cloud):
    file = desk.file("hello.txt")

    said = desk.ask(call("exec_command", cmd=f"printf hello > {file}"), MODELS[cloud])

    assert file.read_text() == "hello"
    assert _last_words(said).startswith("Results: ")
    assert desk.requests == [(cloud, 200)] * 2


def test_one_tool_leads_to_the_next(desk, cloud):
    file = desk.file("next.txt")
    next_call = call("exec_command", cmd=f"printf later > {file}")

    desk.ask(call("exec_command", cmd=f"echo '{next_call}'"), MODELS[cloud])

    assert file.read_text() == "later"
    assert desk.requests == [(cloud, 200)] * 3


def test_two_tools_at_once(desk, cloud):
    files = [desk.file("one.txt"), desk.file("two.txt")]
    calls = [call("exec_command", cmd=f"printf {file.stem} > {file}") for file in files]

    desk.ask(" and ".join(calls), MODELS[cloud])

    assert [file.read_text() for file in files] == ["one", "two"]
    assert desk.requests == [(cloud, 200)] * 2


def test_a_patch_in_the_way_of_its_own_models(desk, cloud):
    desk.means(**{ITS_OWN: MODELS[cloud]})
    file = desk.file("patched.txt")
    patch = json.dumps(PATCH.format(file, "patched"))

    desk.ask(call("exec", input=f"text(await tools.apply_patch({patch}))"), ITS_OWN)

    assert file.read_text() == "patched\n"
    assert desk.requests == [(cloud, 200)] * 2


def test_a_conversation_goes_on_with_another_model(desk):
    """What one model thought and called goes to the next one, and back."""
    order = ["openai", "anthropic", "google", "deepseek", "openai"]
    more: list[str] = []

    for number, name in enumerate(order):
        file = desk.file(f"{number}.txt")
        desk.ask(call("exec_command", cmd=f"printf {name} > {file}"), MODELS[name], *more)
        more = ["resume", "--last"]

    assert [desk.file(f"{number}.txt").read_text() for number in range(5)] == order
    assert desk.requests == [(name, 200) for name in order for _ in range(2)]


def test_a_tier_serves_it(desk):
    file = desk.file("tier.txt")

    desk.ask(call("exec_command", cmd=f"printf tier > {file}"), "frontier")

    assert file.read_text() == "tier"
    assert {*desk.requests} == {("anthropic", 200)}


def _last_words(said):
    events = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    items = [event["item"] for event in events if event["type"] == "item.completed"]
    return [item["text"] for item in items if item["type"] == "agent_message"][-1]
