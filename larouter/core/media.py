"""The most that pictures, sound and files can add to a prompt (TRUST B5).

Nothing is fetched: of what a request only names, the provider's documented maximum counts. Where
none is documented nobody can say, and then it is as much as the model can take.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from msgspec import Struct

from larouter.core.catalog import Model
from larouter.core.chat import ChatRequest
from larouter.core.pages import pages_of
from larouter.core.pictures import pixels_of

COUNTED = 16_384
"""Bytes of one medium that a request's size counts already (`wire.fields.MEDIUM_COUNTS`)."""
_NEEDS = frozenset({"images", "audio", "files"})
_LEAST_BYTES_PER_S = {"mp3": 1_000, "mpeg": 1_000, "wav": 4_000, "x-wav": 4_000, "wave": 4_000}
"""Of sound: MP3 has no fewer than 8 kbit/s, and WAV no less than ADPCM of 8 kHz."""
_PLACES = ("messages", "input", "contents", "content", "system", "images", "requests")
"""The fields of a body in which media can be."""
_PDF = "JVBERi0"
"""`%PDF-` in base64."""


class Facts(Struct, frozen=True, kw_only=True):
    """What one provider documents of its media; None: nothing. In tokens."""

    provider: str
    models: tuple[str, ...] = ()
    """What their names begin with; empty: all of them."""
    image: int | None = None
    """The most for one picture."""
    patch: int | None = None
    """Pixels of a side of the square that costs `per_patch`."""
    per_patch: Fraction = Fraction(1)
    high: int | None = None
    """The most for a picture with `detail` low or high."""
    page: int | None = None
    """The most for one page of a PDF."""
    audio_per_s: int | None = None


class Medium(NamedTuple):
    """One picture, sound or file of a request."""

    kind: str
    mime: str
    data: str | None
    """Base64; None: it is named by its address or id."""
    detail: str | None = None


class Media:
    """Knows what providers document."""

    def __init__(self, facts: tuple[Facts, ...] = ()) -> None:
        self._facts = facts

    def most(self, model: Model, request: ChatRequest) -> int | None:
        """Tokens that media add at most to what a request's size says; None: nobody can say."""
        if not request.needs & _NEEDS:
            return 0
        facts = self._of(model)
        total = 0
        for medium in media_in(request.body):
            tokens = _most(medium, facts)
            if tokens is None:
                return None
            total += max(0, tokens - min(len(medium.data or ""), COUNTED))
        return total

    def _of(self, model: Model) -> Facts:
        for facts in self._facts:
            if facts.provider == model.provider and (
                not facts.models or model.name.startswith(facts.models)
            ):
                return facts
        return Facts(provider=model.provider)


def media_in(body: Mapping[str, Any]) -> Iterator[Medium]:
    """Everything in a body, of any dialect, that is no text."""
    for name in _PLACES:
        if name == "images":
            yield from _pictures(body)
        else:
            yield from _within(body.get(name))


def _within(value: Any) -> Iterator[Medium]:
    if isinstance(value, list):
        for each in value:
            yield from _within(each)
    elif isinstance(value, Mapping):
        medium = _medium(value)
        if medium is not None:
            yield medium
            return
        yield from _pictures(value)
        # What a model wrote as the arguments of a call is text.
        skipped = ("args", "arguments") + (("input",) if value.get("type") == "tool_use" else ())
        for name, each in value.items():
            if name not in skipped and isinstance(each, list | Mapping):
                yield from _within(each)


def _pictures(holder: Mapping[str, Any]) -> Iterator[Medium]:
    """Ollama's: base64 beside the text."""
    given = holder.get("images")
    for picture in given if isinstance(given, list) else ():
        if isinstance(picture, str):
            yield Medium("images", "", picture)


def _medium(part: Mapping[str, Any]) -> Medium | None:
    """A part of a message, if it is one."""
    kind = part.get("type")
    if kind in ("image_url", "input_image", "computer_screenshot"):
        return _picture(part)
    if kind == "input_audio":
        sound = _mapping(part.get("input_audio"))
        return Medium("audio", f"audio/{sound.get('format')}", _text(sound.get("data")))
    if kind in ("file", "input_file"):
        return _file(_mapping(part.get("file")) or part)
    if kind in ("image", "document"):
        return _source(kind, _mapping(part.get("source")))
    for name in ("inlineData", "inline_data", "fileData", "file_data"):
        if isinstance(part.get(name), Mapping):
            given = part[name]
            mime = str(given.get("mimeType") or given.get("mime_type") or "")
            return Medium(_kind(mime), mime, _text(given.get("data")))
    return None


def _picture(part: Mapping[str, Any]) -> Medium:
    given = part.get("image_url")
    inner = _mapping(given)
    url = _text(inner.get("url") if inner else given)
    mime, data = _data_url(url)
    return Medium("images", mime, data, _text(inner.get("detail") or part.get("detail")))


def _file(given: Mapping[str, Any]) -> Medium:
    mime, data = _data_url(_text(given.get("file_data")))
    return Medium("files", mime, data)


def _source(kind: str, source: Mapping[str, Any]) -> Medium | None:
    if source.get("type") in ("text", "content"):
        return None  # its text is in the size of the request, and media in it are met further on
    mime = str(source.get("media_type") or "")
    return Medium("images" if kind == "image" else "files", mime, _text(source.get("data")))


def _data_url(url: str | None) -> tuple[str, str | None]:
    """Type and base64 of a `data:` address; bare base64, as files may be, has no type."""
    if url is None or url.startswith(("http:", "https:", "gs:")):
        return "", None
    head, comma, data = url.partition(",")
    return (head.removeprefix("data:").partition(";")[0], data) if comma else ("", url)


def _kind(mime: str) -> str:
    return (
        "images"
        if mime.startswith("image/")
        else ("audio" if mime.startswith("audio/") else "files")
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _most(medium: Medium, facts: Facts) -> int | None:
    if medium.kind == "images":
        return _image(medium, facts)
    if medium.data is None:
        return None
    if medium.kind == "audio":
        return _audio(medium, medium.data, facts)
    if medium.mime.startswith("text/"):
        return len(medium.data)
    if medium.mime == "application/pdf" or medium.data.startswith(_PDF):
        pages = None if facts.page is None else pages_of(medium.data)
        return None if pages is None or facts.page is None else pages * facts.page
    return None


def _image(medium: Medium, facts: Facts) -> int | None:
    limits = [facts.image, facts.high if medium.detail in ("low", "high") else None]
    pixels = pixels_of(medium.data) if medium.data and facts.patch else None
    if pixels and facts.patch:
        wide, high = (-(-side // facts.patch) for side in pixels)
        limits.append(-(-wide * high * facts.per_patch.numerator // facts.per_patch.denominator))
    return min((limit for limit in limits if limit is not None), default=None)


def _audio(medium: Medium, data: str, facts: Facts) -> int | None:
    if facts.audio_per_s is None:
        return None
    # Where nobody knows how little a second takes, a byte is a token.
    least = _LEAST_BYTES_PER_S.get(medium.mime.partition("/")[2], facts.audio_per_s)
    return -(-len(data) * facts.audio_per_s // least)
