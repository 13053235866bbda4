"""Gemini CLI: on Google's cloud its requests pass, on the others they are translated."""

import json

import pytest

from tests.agents.programs import MODELS, call, gemini_cli

pytestmark = pytest.mark.agent

PROGRAM = gemini_cli


def test_it_writes_a_file(desk, cloud):
    file = desk.file("hello.txt")

    said = desk.ask(call("write_file", file_path=str(file), content="hello"), MODELS[cloud])

    assert file.read_text() == "hello"
    assert json.loads(said[said.index("\n{") :])["response"].startswith("Results: Successfully")
    assert desk.requests == [(cloud, 200)] * 2


def test_a_tier_serves_it(desk):
    file = desk.file("tier.txt")

    desk.ask(call("write_file", file_path=str(file), content="tier"), "frontier")

    assert file.read_text() == "tier"
    assert {*desk.requests} == {("anthropic", 200)}
