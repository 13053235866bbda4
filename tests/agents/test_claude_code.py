"""Claude Code: on Anthropic's cloud its requests pass, on the others they are translated."""

import json
from base64 import b64decode, b64encode

import pytest

from tests.agents.programs import MODELS, call, claude_code
from tests.clouds import faults

pytestmark = pytest.mark.agent

PROGRAM = claude_code
RED = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAGElEQVR4nGP8z0AaYCJR/aiGUQ1DSAMAQC4BH2bjRnMA"
    "AAAASUVORK5CYII="
)


def test_it_writes_a_file(desk, cloud):
    file = desk.file("hello.txt")

    said = desk.ask(call("Write", file_path=str(file), content="hello"), MODELS[cloud])

    assert file.read_text() == "hello"
    assert _result(said).startswith("Results: File created successfully")
    assert desk.requests == [(cloud, 200)] * 2


def test_one_tool_leads_to_the_next(desk, cloud):
    file = desk.file("next.txt")
    next_call = call("Write", file_path=str(file), content="later")

    desk.ask(call("Bash", command=f"echo {json.dumps(next_call)}"), MODELS[cloud])

    assert file.read_text() == "later"
    assert desk.requests == [(cloud, 200)] * 3


def test_two_tools_at_once(desk, cloud):
    files = [desk.file("one.txt"), desk.file("two.txt")]
    calls = [call("Write", file_path=str(file), content=file.name) for file in files]

    desk.ask(" and ".join(calls), MODELS[cloud])

    assert [file.read_text() for file in files] == ["one.txt", "two.txt"]
    assert desk.requests == [(cloud, 200)] * 2


def test_a_conversation_goes_on_with_another_model(desk):
    """What one model thought, signed and called goes to the next one, and back."""
    order = ["anthropic", "google", "openai", "deepseek", "anthropic"]
    more: list[str] = []

    for number, name in enumerate(order):
        file = desk.file(f"{number}.txt")
        desk.ask(call("Write", file_path=str(file), content=name), MODELS[name], *more)
        more = ["--continue"]

    assert [desk.file(f"{number}.txt").read_text() for number in range(5)] == order
    assert desk.requests == [(name, 200) for name in order for _ in range(2)]


def test_it_reads_an_image(desk):
    """The result of a tool holds it, where Gemini's has words only."""
    picture = desk.file("red.png")
    picture.write_bytes(RED)

    desk.ask(call("Read", file_path=str(picture)), MODELS["google"])

    assert b64encode(RED).decode() in json.dumps(desk.house.clouds["google"].last.json)
    assert desk.requests == [("google", 200)] * 2


def test_a_tier_serves_it(desk):
    file = desk.file("tier.txt")

    desk.ask(call("Write", file_path=str(file), content="by tier"), "frontier")

    assert file.read_text() == "by tier"
    assert desk.requests == [("anthropic", 200)] * 2


@pytest.mark.parametrize("cloud", ["anthropic", "google"])
def test_it_asks_how_long_its_context_is(desk, cloud):
    said = desk.ask("/context", MODELS[cloud])

    assert "Context Usage" in _result(said)
    assert desk.requests == []


def test_a_busy_cloud_is_not_noticed(desk):
    desk.house.clouds["openai"].will(faults.status(429, retry_after=1), faults.status(503))
    file = desk.file("patience.txt")

    desk.ask(call("Write", file_path=str(file), content="at last"), MODELS["openai"])

    assert file.read_text() == "at last"
    assert desk.requests == [("openai", 200)] * 2


@pytest.mark.parametrize("cloud", ["anthropic", "google"])
def test_an_answer_that_broke_off_is_asked_for_again(desk, cloud):
    desk.house.clouds[cloud].will(faults.cut_midstream)
    file = desk.file("again.txt")

    desk.ask(call("Write", file_path=str(file), content="once"), MODELS[cloud])

    assert file.read_text() == "once"
    assert desk.requests == [(cloud, 502), (cloud, 200), (cloud, 200)]


def test_a_wrong_bearer_is_said_at_once(desk):
    desk.place.bearer = "lr_wrong"

    said = desk.ask("Hello", MODELS["anthropic"], fails=True)

    assert _result(said).startswith("Failed to authenticate")


def _result(said):
    return json.loads(said.splitlines()[-1])["result"]
