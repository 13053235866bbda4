import base64
import struct
from fractions import Fraction

import pytest
from msgspec import json

from larouter.core.catalog import Model
from larouter.core.media import COUNTED, Facts, Media, Medium, media_in
from larouter.wire.anthropic.request import read_request as read_anthropic
from larouter.wire.chat.request import read_request as read_chat
from larouter.wire.fields import MEDIUM_COUNTS
from larouter.wire.gemini.request import read_request as read_gemini
from larouter.wire.ollama.request import read_chat as read_ollama
from larouter.wire.responses.request import read_request as read_responses

FACTS = Facts(
    provider="cloud", image=40_000, patch=32, per_patch=Fraction(6, 5), high=30_000, page=20_000,
    audio_per_s=32,
)  # fmt: skip
BARE = Facts(provider="bare")
LARGE = Facts(provider="large", models=("big-",), image=50_000)
MEDIA = Media((FACTS, BARE, LARGE))
LINK = "https://example.com/a"
PNG = base64.b64encode(
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 4_000, 5_000)
).decode()  # fmt: skip
PDF = base64.b64encode(b"%PDF-1.4 <</Type /Page>> <</Type /Page>>").decode()
HIGH = 125 * 157 * 6 // 5
"""What that picture costs by its squares."""


def model(provider="cloud", name="m"):
    return Model(id=name, name=name, provider=provider)


def chat(*parts):
    return read_chat(json.encode({"model": "m", "messages": [{"role": "user", "content": parts}]}))


def anthropic(*blocks):
    messages = [{"role": "user", "content": blocks}]
    return read_anthropic(json.encode({"model": "m", "max_tokens": 9, "messages": messages}))


def responses(*parts):
    given = [{"type": "message", "role": "user", "content": parts}]
    return read_responses(json.encode({"model": "m", "input": given}))


def gemini(*parts):
    return read_gemini(json.encode({"contents": [{"parts": parts}]}), model="m")


def ollama(*pictures):
    message = {"role": "user", "content": "Look", "images": pictures}
    return read_ollama(json.encode({"model": "m", "messages": [message]}))


def picture(url, **more):
    return {"type": "image_url", "image_url": {"url": url, **more}}


def most(request, provider="cloud", name="m"):
    return MEDIA.most(model(provider, name), request)


def test_text_adds_nothing():
    assert most(chat({"type": "text", "text": "Hi"})) == 0


@pytest.mark.parametrize(
    "request_",
    [
        chat(picture(LINK)),
        responses({"type": "input_image", "image_url": LINK}),
        responses({"type": "input_image", "file_id": "file-1"}),
        anthropic({"type": "image", "source": {"type": "url", "url": LINK}}),
        anthropic({"type": "image", "source": {"type": "file", "file_id": "f"}}),
        anthropic(
            {
                "type": "tool_result",
                "tool_use_id": "t",
                "content": [{"type": "image", "source": {"type": "url", "url": LINK}}],
            }
        ),
        gemini({"fileData": {"mimeType": "image/png", "fileUri": LINK}}),
        gemini({"file_data": {"mime_type": "image/png", "file_uri": LINK}}),
    ],
)
def test_a_picture_that_is_only_named_takes_the_documented_maximum(request_):
    assert most(request_) == 40_000
    assert most(request_, "bare") is None
    assert most(request_, "nobody") is None


@pytest.mark.parametrize(
    "request_",
    [
        chat(picture(f"data:image/png;base64,{PNG}")),
        responses({"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"}),
        anthropic(
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": PNG},
            }
        ),
        gemini({"inlineData": {"mimeType": "image/png", "data": PNG}}),
        gemini({"inline_data": {"mime_type": "image/png", "data": PNG}}),
        ollama(PNG),
    ],
)
def test_a_picture_that_is_there_takes_what_its_pixels_cost(request_):
    assert most(request_) == HIGH - len(PNG)


def test_what_a_request_counts_already_is_not_added_again():
    data = base64.b64encode(b"\0" * 30_000).decode()
    assert COUNTED == MEDIUM_COUNTS

    assert most(chat(picture(f"data:image/png;base64,{data}"))) == 40_000 - COUNTED


def test_a_detail_has_its_own_maximum():
    assert most(chat(picture(LINK, detail="high"))) == 30_000
    assert most(chat(picture(LINK, detail="auto"))) == 40_000
    assert most(responses({"type": "input_image", "image_url": LINK, "detail": "low"})) == 30_000


def test_every_medium_counts():
    assert most(chat(picture(LINK), picture(LINK), {"type": "text", "text": "?"})) == 80_000


def test_facts_can_be_for_some_models():
    assert most(chat(picture(LINK)), "large", "big-1") == 50_000
    assert most(chat(picture(LINK)), "large", "small-1") is None


@pytest.mark.parametrize(
    "request_",
    [
        chat({"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PDF}"}}),
        responses({"type": "input_file", "filename": "a.pdf", "file_data": PDF}),
        anthropic(
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
            }
        ),
        gemini({"inlineData": {"mimeType": "application/pdf", "data": PDF}}),
    ],
)
def test_a_pdf_takes_what_its_pages_do(request_):
    assert most(request_) == 40_000 - len(PDF)
    assert most(request_, "bare") is None


@pytest.mark.parametrize(
    "request_",
    [
        chat({"type": "file", "file": {"file_id": "file-1"}}),
        responses({"type": "input_file", "file_url": LINK}),
        anthropic({"type": "document", "source": {"type": "url", "url": LINK}}),
        gemini({"fileData": {"mimeType": "audio/mp3", "fileUri": LINK}}),
        gemini({"inlineData": {"mimeType": "video/mp4", "data": "AAAA"}}),
        responses({"type": "input_file", "filename": "a.docx", "file_data": "UEsDBA=="}),
    ],
)
def test_of_other_files_nobody_can_say(request_):
    assert most(request_) is None


def test_a_text_file_takes_no_more_than_its_bytes():
    text = base64.b64encode(b"Hello" * 10_000).decode()

    request = gemini({"inlineData": {"mimeType": "text/plain", "data": text}})

    assert most(request) == len(text) - COUNTED


def test_a_document_of_text_is_in_the_size_already():
    text = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a"}}
    image = {"type": "image", "source": {"type": "url", "url": LINK}}
    parts = {"type": "document", "source": {"type": "content", "content": [image]}}

    assert most(anthropic(text)) == 0
    assert most(anthropic(text, parts, image)) == 80_000


@pytest.mark.parametrize(
    ("kind", "tokens"), [("mp3", 32), ("wav", 8), ("opus", 1_000), ("None", 1_000)]
)
def test_sound_takes_what_its_length_can_be(kind, tokens):
    data = "A" * 100_000
    part = {"type": "input_audio", "input_audio": {"data": data, "format": kind}}

    expected = max(0, tokens * 100 - COUNTED)
    assert most(chat(part)) == expected
    assert most(chat(part), "bare") is None


def test_what_a_model_wrote_is_no_medium():
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": [{"type": "image_url"}]}}
    seen = {"type": "image", "source": {"type": "url", "url": LINK}}
    request = anthropic(seen, {"type": "tool_result", "tool_use_id": "t"})
    body = {**request.body, "messages": [{"role": "assistant", "content": [call]}]}

    assert list(media_in(body)) == []


def test_a_prompt_of_ollamas_has_its_pictures_beside_it():
    assert list(media_in({"prompt": "Look", "images": [PNG, 7]})) == [Medium("images", "", PNG)]
    assert list(media_in({"prompt": "Look", "images": "odd"})) == []


def test_what_is_odd_is_nobodys_to_measure():
    assert list(media_in({"messages": [{"content": [{"type": "image_url"}]}]})) == [
        Medium("images", "", None)
    ]
