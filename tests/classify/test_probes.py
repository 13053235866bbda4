"""Health probes."""

import tomllib

import pytest

from larouter.classify.phrases import normal
from larouter.classify.probes import Probes
from larouter.config import folder

PROBES = Probes(tomllib.loads((folder("data") / "rules.toml").read_text("utf-8"))["probe"])


def _is_probe(text):
    return PROBES.is_one(text, normal(text))


@pytest.mark.parametrize(
    "text",
    ["reply with OK", "Respond only with pong.", "say hi", "Answer with the single word READY",
     "Antworte nur mit OK", "réponds uniquement par OK", "responde solo OK", "请只回复OK",
     "OKとだけ返信してください", "ответь ок", '{"ping":1}',
     '{"type":"ping","id":3}', '{"action": "healthcheck"}'],
)  # fmt: skip
def test_a_probe_is_a_heartbeat(text):
    assert _is_probe(text)


@pytest.mark.parametrize(
    "text",
    ["say hi to mum", "say yes or no", "write hello world", "reply with a single word",
     '{"name":"Bob"}', '{"test": {"a": 1}}', '{"ping": why}', '["ping", "why"]',
     '{"ping":1,"question":"why"}',
     "只回复一个字,为什么天空", '{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"ping":7}',
     "reply " * 20 + "ok " * 9],
)  # fmt: skip
def test_more_than_a_probe_passes_on(text):
    assert not _is_probe(text)
