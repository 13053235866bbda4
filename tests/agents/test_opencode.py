"""opencode, which speaks chat completions: OpenAI's newer models take its tools by Responses."""

import pytest

from tests.agents.programs import MODELS, call, opencode

pytestmark = pytest.mark.agent

PROGRAM = opencode
ASKS_OUTSIDE = "for a package of its own, at each start; it goes on without"


@pytest.mark.parametrize(
    ("model", "provider"), [(MODELS["openai"], "openai"), ("frontier", "anthropic")]
)
def test_it_writes_a_file(desk, model, provider):
    file = desk.file("hello.txt")
    asked = call("bash", command=f"printf hello > {file}", description="Write a file")

    said = desk.ask(asked, model)

    assert file.read_text() == "hello"
    assert "Results: " in said
    assert {*desk.requests} == {(provider, 200)}
