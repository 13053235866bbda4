"""A conversation with tools goes on when the model changes at every turn (CLIENTS: switching)."""

import itertools

import pytest

from tests.clients.conftest import MODELS
from tests.clients.talkers import TALKERS

pytestmark = pytest.mark.slow

TURNS = 20
CITIES = ("Rome", "Öslo", "São Paulo", "東京")


@pytest.mark.parametrize("thinks", [False, True], ids=["plain", "thinking"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("talker", TALKERS, ids=lambda talker: talker.__name__)
def test_twenty_turns_with_tools_survive_a_new_provider_at_each(served, talker, stream, thinks):
    talk = talker(served, stream=stream, thinks=thinks)
    models = itertools.cycle([*MODELS.values(), *reversed(MODELS.values())])

    for turn, model in zip(range(TURNS), models, strict=False):
        city = CITIES[turn % len(CITIES)]
        said = talk.say(model, f'Turn {turn}: call weather {{"city": "{city}"}}')

        assert f"Sunny in {city}" in said, f"turn {turn} at {model}"
    assert talk.calls == TURNS


@pytest.mark.parametrize("talker", TALKERS, ids=lambda talker: talker.__name__)
def test_parallel_calls_come_back_to_every_provider(served, talker, model):
    talk = talker(served, stream=True)

    said = talk.say(model, 'call weather {"city": "Rome"} call weather {"city": "Oslo"}')

    assert talk.calls == 2
    assert "Sunny in Rome" in said
    assert "Sunny in Oslo" in said


@pytest.mark.parametrize("talker", TALKERS, ids=lambda talker: talker.__name__)
def test_text_of_every_script_comes_through_whole(served, talker, model):
    talk = talker(served, stream=True)

    assert talk.say(model, "Grüße, 🙂 und 東京") == "You said: Grüße, 🙂 und 東京"
