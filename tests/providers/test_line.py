"""A reply that somebody listens to before it is passed on; all else of it is in test_http.py."""

from __future__ import annotations

import json

import pytest

from larouter.core.catalog import Model
from larouter.core.chat import Usage
from larouter.core.conversation import Text
from larouter.core.errors import UpstreamError
from larouter.providers.line import MOST_READ_ON
from larouter.wire.chat.writer import DONE
from tests.fakes import a_request, with_fields
from tests.upstream import ANSWER, FINISH, FIRST, STREAM, USAGE, WORD, raw, stream, whole


def _begun(heard):
    return heard.has_begun


def _never(heard):
    return False


def _said(heard):
    return "".join(part.text for part in heard.answer.parts if isinstance(part, Text))


def test_a_whole_answer_is_heard_and_passed_on(cloud):
    reply = cloud.ask()

    heard = reply.heard(_begun)

    assert (_said(heard), heard.ended) == ("Hello", True)
    assert reply.end == ANSWER
    assert reply.usage == Usage(input=9, output=3)


def test_a_stream_is_heard_to_its_first_word(cloud, upstream):
    upstream.will(stream(*STREAM, pause_s=0.05))
    reply = cloud.ask(stream=True)

    heard = reply.heard(_begun)

    assert (_said(heard), heard.ended) == ("Hi", False)
    assert b"".join(reply) == FIRST + WORD + WORD + FINISH
    assert reply.end == DONE
    assert reply.usage == Usage(input=9, output=3)


def test_a_stream_is_heard_to_its_end(cloud, upstream):
    upstream.will(stream(FIRST, FINISH, USAGE, DONE, pause_s=0.02))
    reply = cloud.ask(stream=True)

    heard = reply.heard(_begun)

    assert (heard.has_begun, heard.ended) == (False, True)
    assert reply.usage == Usage(input=9, output=3)
    assert b"".join(reply) == FIRST + FINISH
    assert reply.end == DONE


def test_a_stream_that_ends_without_a_word_about_it(cloud, upstream):
    upstream.will(stream(FIRST, WORD, FINISH))
    reply = cloud.ask(stream=True)

    heard = reply.heard(_never)

    assert heard.ended
    assert reply.usage is None
    assert b"".join(reply) == FIRST + WORD + FINISH


def test_a_translated_stream_is_heard_in_the_providers_own_words(cloud, upstream):
    upstream.will(stream(*STREAM))
    messages = [{"role": "user", "content": "hello"}]
    body = {"model": "m", "max_tokens": 9, "messages": messages, "stream": True}
    request = with_fields(a_request(stream=True), dialect="anthropic", body=body)
    reply = cloud.provider.call(Model(id="m", name="m", provider="cloud"), request, cloud.leaving)

    heard = reply.heard(_never)
    events = b"".join(reply) + reply.end

    assert (_said(heard), heard.ended, heard.asked is not None) == ("HiHi", True, True)
    assert events.startswith(b"event: message_start")
    assert events.count(b"text_delta") == 2
    assert events.endswith(b'data: {"type":"message_stop"}\n\n')
    reply.close()


def test_a_stream_that_breaks_while_it_is_heard(cloud, upstream):
    upstream.will(stream(FIRST, cut=True))
    reply = cloud.ask(stream=True)

    heard = reply.heard(_begun)

    assert (heard.broken, heard.ended) == (True, False)
    pieces = iter(reply)
    assert next(pieces) == FIRST
    with pytest.raises(UpstreamError):
        next(pieces)


def test_a_stream_that_ends_too_soon(cloud, upstream):
    upstream.will(stream(FIRST))
    reply = cloud.ask(stream=True)

    assert reply.heard(_begun).broken
    with pytest.raises(UpstreamError):
        list(reply)


def test_what_nobody_understands(cloud, upstream):
    odd = b'data: {"choices": [{"delta": {"content": {"odd": 1}}}]}\n\n'
    upstream.will(
        whole(json.dumps({"choices": [{"message": {"content": {"odd": 1}}}]}).encode()),
        stream(odd, WORD, FINISH, DONE),
    )

    assert cloud.ask().heard(_begun) is None
    reply = cloud.ask(stream=True)
    assert reply.heard(_begun) is None
    assert b"".join(reply) == odd + WORD + FINISH


def test_numbers_are_not_heard(cloud):
    reply = cloud.ask()
    reply._exchange = reply._exchange._replace(
        request=with_fields(reply._exchange.request, dialect="embeddings")
    )

    assert reply.heard(_begun) is None


def test_a_key_that_the_provider_repeats_is_hidden(cloud, upstream):
    said = b'data: {"error": {"message": "bad key sk-canary-0123456789"}}\n\n'
    upstream.will(stream(FIRST, said, pause_s=0.05))
    reply = cloud.ask(stream=True)
    reply.heard(_never)

    with pytest.raises(UpstreamError) as caught:
        list(reply)

    assert "sk-canary" not in str(caught.value)


def test_a_client_that_leaves_while_another_is_asked_stops_this_one_too(cloud, upstream):
    upstream.will(stream(FIRST, WORD, hanging=True))
    reply = cloud.ask(stream=True)
    reply.heard(_begun)
    cloud.leaving.on_fire(lambda: None)  # another call …
    cloud.leaving.on_fire(None)  # … that failed

    pieces = iter(reply)
    first = next(pieces)
    cloud.leaving.fire()

    assert first.startswith(FIRST)
    with pytest.raises(UpstreamError):
        list(pieces)


def test_closing_it_leaves_another_call_awaited(cloud, upstream):
    upstream.will(stream(FIRST, WORD, hanging=True))
    reply = cloud.ask(stream=True)
    woken = []
    cloud.leaving.on_fire(lambda: woken.append("other"))

    reply.close()
    cloud.leaving.fire()

    assert woken == ["other"]
    assert upstream.saw_the_client_leave()


def test_what_is_not_http_is_not_heard(cloud, upstream):
    upstream.will(raw(b"hello\r\n\r\n"))

    with pytest.raises(UpstreamError):
        cloud.ask(stream=True)


def _left(cloud, upstream, *pieces, takes=True, **how):
    """A stream whose client leaves after its first piece, and may be read on."""
    upstream.will(stream(*pieces, **how))
    cloud.leaving.may_read_on = lambda: takes
    reply = cloud.ask(stream=True)
    frames = iter(reply)
    next(frames)
    frames.close()
    return reply


def test_a_stream_whose_client_left_is_read_to_its_end(cloud, upstream):
    reply = _left(cloud, upstream, *STREAM, pause_s=0.02)
    cloud.leaving.fire()

    assert reply.read_on()
    assert reply.usage == Usage(input=9, output=3)


def test_a_send_that_failed_is_a_leave_too(cloud, upstream):
    reply = _left(cloud, upstream, *STREAM, pause_s=0.02)

    assert reply.read_on()
    assert cloud.leaving.reads_on


def test_without_a_place_the_stream_ends_with_its_client(cloud, upstream):
    reply = _left(cloud, upstream, *STREAM, pause_s=0.05, takes=False)
    cloud.leaving.fire()

    assert not reply.read_on()


def test_a_stream_that_breaks_has_no_usage(cloud, upstream):
    reply = _left(cloud, upstream, FIRST, WORD, pause_s=0.02)

    assert not reply.read_on()


def test_a_stream_that_goes_on_and_on_is_too_much(cloud, upstream):
    long = b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % (b"x" * 60_000)
    reply = _left(cloud, upstream, FIRST, *[long] * (2 * MOST_READ_ON // 60_000), *STREAM[1:])

    assert not reply.read_on()
