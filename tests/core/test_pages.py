import base64
import zlib

import pytest

from larouter.core.pages import LONGEST, pages_of

PLAIN = b"%PDF-1.4\n<</Type /Pages /Count 2>>\n2 0 obj <</Type/Page>>\n3 0 obj <</Type /Page\n>>"


def packed(pages, *, inflate=True):
    body = b"<</Type/Pages>>" + b"<</Type /Page /Parent 1 0 R>>" * pages
    stream = zlib.compress(body) if inflate else body
    return b"9 0 obj <</Type /ObjStm /N 3 /First 9>> stream\r\n" + stream + b"\nendstream"


def count(file):
    return pages_of(base64.b64encode(file).decode())


def test_pages_are_counted():
    assert count(PLAIN) == 2


def test_pages_are_found_in_compressed_objects():
    assert count(b"%PDF-1.7\n" + packed(3)) == 3
    assert count(PLAIN + packed(3) + packed(1)) == 6


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"%PDF-1.7 /Encrypt",
        b"%PDF-1.7\n" + packed(3, inflate=False),
        b"%PDF-1.7\n" + packed(3)[:60],
        PLAIN + b"<</Type /ObjStm>> and no more",
        PLAIN + packed(300_000),
    ],
)
def test_of_what_hides_its_pages_nobody_can_say(file):
    assert count(file) is None


def test_no_base64_has_no_pages():
    assert pages_of("A") is None


def test_a_very_long_file_is_not_read():
    assert pages_of("A" * (LONGEST + 1)) is None
