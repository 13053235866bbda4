import base64
import zlib

import pytest

from larouter.core.pictures import pixels_of

JPEG = (
    b"\xff\xd8"
    + b"\xff\xe1\x00\x06Exif"
    + b"\xff\xc4\x00\x04\x00\x00"
    + b"\xff\xc2\x00\x11\x08"
    + (600).to_bytes(2)
    + (800).to_bytes(2)
    + b"\x03" * 9
)


def png(width, height):
    body = b"IHDR" + width.to_bytes(4) + height.to_bytes(4) + b"\x08\x02\0\0\0"
    return b"\x89PNG\r\n\x1a\n\0\0\0\r" + body + zlib.crc32(body).to_bytes(4)


def webp(kind, body):
    return b"RIFF\0\0\0\0WEBP" + kind + b"\0\0\0\0" + body.ljust(18, b"\0")


def _three(number):
    return (number - 1).to_bytes(3, "little")


@pytest.mark.parametrize(
    ("file", "size"),
    [
        (png(800, 600), (800, 600)),
        (b"GIF89a" + (800).to_bytes(2, "little") + (600).to_bytes(2, "little"), (800, 600)),
        (JPEG, (800, 600)),
        (webp(b"VP8X", b"\0" * 4 + _three(800) + _three(600)), (800, 600)),
        (webp(b"VP8L", b"/" + (799 | 599 << 14).to_bytes(4, "little")), (800, 600)),
        (
            webp(b"VP8 ", b"\0" * 6 + (800).to_bytes(2, "little") + (600).to_bytes(2, "little")),
            (800, 600),
        ),
    ],
)
def test_a_picture_says_how_large_it_is(file, size):
    assert pixels_of(base64.b64encode(file).decode()) == size


@pytest.mark.parametrize(
    "file",
    [
        b"", b"hello", png(0, 600), png(1, 1)[:20], b"GIF89a", webp(b"XXXX", b""),
        webp(b"VP8X", b"")[:20], JPEG[:14], b"\xff\xd8\xff\xe1\x00\x02",
        b"\xff\xd8\xff\xe1\xff\xffExif12345678",
    ],
)  # fmt: skip
def test_what_is_no_picture_has_no_size(file):
    assert pixels_of(base64.b64encode(file).decode()) is None


@pytest.mark.parametrize("data", ["é€🙂x", "A"])
def test_what_is_no_base64_has_no_size(data):
    assert pixels_of(data) is None


def test_only_the_beginning_is_looked_at():
    long = base64.b64encode(png(800, 600) + b"\0" * 10**6).decode()

    assert pixels_of(long + "!") == (800, 600)
