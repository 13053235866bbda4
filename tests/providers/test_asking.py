"""The asker: one word of a local model that has nothing else to do, or nothing."""

import json
import threading
import time

import pytest
from msgspec import json as msgjson

from larouter.core.catalog import FREE, Catalog, Model
from larouter.core.errors import UpstreamError, UpstreamTimeout
from larouter.core.ports import Address
from larouter.providers.asking import LocalAsker
from tests.fakes import FakeRunner
from tests.upstream import hang, reset, stream, whole

MODEL = Model(id="small", name="small", provider="local", price=FREE)
OTHER = Model(id="other", name="other", provider="local", price=FREE)
CLOUD = Model(id="cloudy", name="cloudy", provider="cloud")
CATALOG = Catalog(date="2026-11-23", models={model.id: model for model in (OTHER, MODEL, CLOUD)})
WORDS = ("yes", "no")


def an_answer(*tokens, **fields):
    rows = [{"id": 1, "token": token, "bytes": [], "prob": prob} for token, prob in tokens]
    place = {"token": "yes", "prob": 1, "top_probs": rows}
    choice = {"index": 0, "logprobs": {"content": [place]}, **fields}
    return msgjson.encode({"choices": [choice]})


SURE = an_answer(("yes", 0.75), ("no", 0.25))


class Machine:
    def __init__(self, pool, upstream):
        self.runner = FakeRunner(Address(url=upstream.url, key="engine-key"))
        self.later: list[tuple] = []
        self.timers: list[threading.Timer] | None = None
        """What is done later in fact; None: when the test says so."""
        self.under_way = 0
        self.upstream = upstream
        self.asker = LocalAsker(
            self.runner, pool, self._later,
            catalog=lambda: CATALOG, names=("small", "cloudy", "gone"),
            under_way=lambda model: self.under_way,
        )  # fmt: skip

    def _later(self, seconds, callback):
        if self.timers is None:
            self.later.append((seconds, callback))
        else:
            self.timers.append(threading.Timer(seconds, callback))
            self.timers[-1].start()

    def ask(self, question="Is it?", deadline_s=5.0):
        return self.asker.ask(MODEL, "Answer yes or no.", question, WORDS, deadline_s)

    def warm(self, *step):
        """Let the model read the prefix, as its first question does."""
        self.upstream.will(*(step or (whole(SURE),)))
        assert self.ask() is None
        seconds, read = self.later.pop()
        assert seconds == 0
        read()
        self.later.clear()


@pytest.fixture
def machine(shared_pool, upstream):
    return Machine(shared_pool, upstream)


@pytest.fixture
def warm(machine):
    machine.warm()
    return machine


def test_named_models_that_run_here_can_be_asked(machine):
    assert machine.asker.loaded() == [MODEL]


@pytest.mark.parametrize("state", ["absent", "stopped", "loading", "crashed", "quarantined"])
def test_a_model_that_is_not_ready_is_neither_asked_nor_started(machine, state):
    machine.runner.condition = state

    assert machine.asker.loaded() == []
    assert machine.ask() is None
    assert (machine.runner.started, machine.later, machine.upstream.requests) == ([], [], [])


def test_the_words_are_weighed_among_themselves(warm, upstream):
    upstream.will(whole(an_answer((" yes", 0.3), ("yes", 0.3), ("no", 0.2), ("maybe", 0.2))))

    said = warm.ask()

    assert said == pytest.approx({"yes": -0.2877, "no": -1.3863}, abs=1e-4)


def test_a_word_is_never_impossible(warm, upstream):
    upstream.will(whole(an_answer(("yes", 1.0))))

    assert warm.ask() == pytest.approx({"yes": 0.0, "no": -9.2103}, abs=1e-4)


def test_the_engine_is_asked_for_one_word_after_the_prefix(warm, upstream):
    upstream.will(whole(SURE))
    warm.ask("Is it?")

    body = json.loads(upstream.last.body)
    assert upstream.last.line == "POST /v1/chat/completions HTTP/1.1"
    assert upstream.last.headers["authorization"] == "Bearer engine-key"
    assert body["messages"] == [
        {"role": "system", "content": "Answer yes or no."},
        {"role": "user", "content": "Is it?"},
    ]
    assert body["grammar"] == 'root ::= "yes" | "no"'
    assert (body["max_tokens"], body["cache_prompt"], body["top_logprobs"]) == (1, True, 2)


def test_a_new_process_first_reads_the_prefix_and_nobody_waits(machine, upstream):
    upstream.will(whole(SURE), whole(SURE))

    assert machine.ask() is None
    assert machine.ask() is None, "it is reading"
    assert upstream.requests == []
    machine.later.pop()[1]()

    assert json.loads(upstream.last.body)["messages"][1]["content"] == ""
    assert machine.ask() is not None
    machine.runner.address = Address(url=upstream.url, key="another")
    assert machine.ask() is None, "another process has read nothing"


def test_a_prefix_that_cannot_be_read_is_left_to_the_first_question(machine, upstream):
    machine.warm(whole(b"{}", 500))
    upstream.will(whole(SURE))

    assert machine.ask() is not None


def test_a_model_that_answers_somebody_is_not_asked(warm, upstream):
    warm.under_way = 1

    before = len(upstream.requests)
    started = time.perf_counter()
    assert warm.ask() is None

    assert time.perf_counter() - started < 0.05
    assert len(upstream.requests) == before


def test_one_question_at_a_time(warm, upstream):
    upstream.will(whole(SURE, after_s=0.3))
    answers = []
    first = threading.Thread(target=lambda: answers.append(warm.ask()))
    first.start()
    while len(upstream.requests) < 2:
        time.sleep(0.01)

    assert warm.ask() is None

    first.join()
    assert answers != [None]


@pytest.mark.parametrize("step", [hang, whole(SURE, after_s=3), stream(b"{", hanging=True)])
def test_the_deadline_is_kept_and_the_work_stopped(warm, upstream, step):
    upstream.will(step)
    warm.timers = []
    started = time.perf_counter()

    with pytest.raises(UpstreamTimeout):
        warm.ask(deadline_s=0.8)

    assert 0.8 <= time.perf_counter() - started < 1.2 * 0.8
    warm.timers[0].join()
    assert upstream.saw_the_client_leave() or step is not hang


def test_a_deadline_that_comes_late_cuts_nothing(warm, upstream):
    upstream.will(whole(SURE), whole(SURE))
    warm.ask()

    warm.later.pop()[1]()

    assert warm.ask() is not None
    assert len({received.connection for received in upstream.requests}) == 1


@pytest.mark.parametrize(
    "step",
    [
        reset,
        whole(b"oops"),
        whole(b"{}"),
        whole(b'{"choices": []}'),
        whole(b'{"choices": [{"logprobs": null}]}'),
        whole(b'{"choices": [{"logprobs": {"content": []}}]}'),
        whole(an_answer()),
        whole(an_answer(("maybe", 1.0))),
        whole(an_answer(("yes", 0.0), ("no", 0.0))),
        whole(b'{"error": {"message": "bad grammar"}}', 400),
    ],
)
def test_no_good_answer_is_an_error_and_the_next_question_is_free(warm, upstream, step):
    upstream.will(step, whole(SURE))

    with pytest.raises(UpstreamError):
        warm.ask()

    assert warm.ask() is not None
