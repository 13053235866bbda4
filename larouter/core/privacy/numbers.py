"""Numbers of cards and of people: shapes, and the checks that tell them from other numbers.

Where the check digit alone lets one in ten numbers through, the number must be written in its
usual groups, or its name must stand shortly before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from larouter.core.privacy import checks

_SEPARATORS = b" -./"
_DIGITS = bytes(ord("0") if 48 <= byte < 58 else byte for byte in range(256))
_KINDS = bytes(
    ord("0") if 48 <= byte < 58 else ord("a") if chr(byte).isalpha() and byte < 128 else byte
    for byte in range(256)
)
_LEAST = b"0000000"
"""The fewest digits in a row that any number here has, once separators are gone (a NIE: seven)."""
_IBAN_BEGINS = b"aa00"
_FISCALE = b"aaaaaa00a00a000a"

_RUN = re.compile(rb"[0-9][0-9 ./-]{6,}")
_AFTER = 20
"""Letters behind a run that may belong to it: `2A 006 084 36` of a NIR."""
_SHAPE = re.compile(
    rb"""
    (?<![0-9A-Za-z]) (?<![0-9]\.)      # not inside of a word, nor of a decimal fraction
    (?=
      (?: (?P<plain>  [0-9]{9,19})
        | (?P<chinese> [0-9]{17} [Xx])
        | (?P<dni>    [0-9]{8} [ -]? [A-Za-z] | [0-9]{2}\.[0-9]{3}\.[0-9]{3} -? [A-Za-z])
        | (?P<nir>    [1-8] [ ] [0-9]{2} [ ] [0-9]{2} [ ] [0-9][0-9AB]
                      [ ] [0-9]{3} [ ] [0-9]{3} [ ]? [0-9]{2})
        | (?P<cpf>    [0-9]{3}\.[0-9]{3}\.[0-9]{3} [-./] [0-9]{2})
        | (?P<ssn>    [0-9]{3} (?P<s>[ -]) [0-9]{2} (?P=s) [0-9]{4})
        | (?P<nine>   [0-9]{3} (?P<b>[ .-]) [0-9]{3} (?P=b) [0-9]{3})
        | (?P<tax>    [0-9]{2} (?P<t>[ ./-]) [0-9]{3} (?P=t) [0-9]{3} (?P=t) [0-9]{3})
        | (?P<four>   [0-9]{4} (?P<f>[ .-]) [0-9]{4,6} (?: (?P=f) [0-9]{1,6} ){1,3})
      ) (?![0-9A-Za-z]) (?!\.[0-9])
    ) [0-9]
    """,
    re.VERBOSE,
)
_NIE = re.compile(rb"[XYZxyz](?<![0-9A-Za-z].)-?[0-9]{7}-?[A-Za-z](?![0-9A-Za-z])")
_IBAN = re.compile(rb"[A-Za-z](?<![0-9A-Za-z].)(?=([A-Za-z][0-9]{2}(?:[ -]?[0-9A-Za-z]){11,30}))")
_FISCALE_SHAPE = re.compile(
    rb"[A-Za-z](?<![0-9A-Za-z].)[A-Za-z]{5}[0-9]{2}[A-Za-z][0-9]{2}[A-Za-z][0-9]{3}[A-Za-z]"
    rb"(?![0-9A-Za-z])"
)
_NAMED = 60
"""Letters in which a number's name stands before it."""
_CARD_SIZES = range(13, 20)

Check = Callable[[str], bool]

# By their number of digits when nothing separates them; with names, one of those must be near.
_PLAIN: dict[int, tuple[tuple[Check, tuple[bytes, ...]], ...]] = {
    9: (
        (checks.is_bsn, (b"bsn", b"burgerservice", b"sofinummer")),
        (checks.is_ssn, (b"ssn", b"social security")),
    ),
    11: (
        (checks.is_german_tax_id, ()),
        (checks.is_pesel, ()),
        (checks.is_cpf, (b"cpf",)),
    ),
    12: ((checks.is_aadhaar, (b"aadhaar", b"aadhar", b"uidai")),),
    15: ((checks.is_nir, ()),),
    18: ((checks.is_chinese_id, ()),),
}
_GROUPED: dict[str, tuple[Check, tuple[bytes, ...]]] = {
    "chinese": (checks.is_chinese_id, ()),
    "dni": (checks.is_dni, ()),
    "nir": (checks.is_nir, ()),
    "cpf": (checks.is_cpf, ()),
    "ssn": (checks.is_ssn, ()),
    "nine": (checks.is_bsn, _PLAIN[9][0][1]),
    "tax": (checks.is_german_tax_id, ()),
}


def find_number(data: bytes, *, card: bool, id: bool) -> str | None:
    """`card` or `id`, whichever of those that are wanted comes first; None: neither."""
    has_digits = _LEAST in data.translate(_DIGITS, _SEPARATORS)
    found = next(_kinds_of_shapes(data, card=card, id=id), None) if has_digits else None
    if found is None and id and _has_lettered(data, has_digits=has_digits):
        return "id"
    return found


def _kinds_of_shapes(data: bytes, *, card: bool, id: bool) -> Iterator[str]:
    for run in _RUN.finditer(data):
        for shape in _SHAPE.finditer(data, run.start(), run.end() + _AFTER):
            if shape.start() >= run.end():
                break  # it belongs to a run of its own, and its end may be cut off here
            if card and _is_card(shape):
                yield "card"
            if id and _is_id(data, shape):
                yield "id"


def _has_lettered(data: bytes, *, has_digits: bool) -> bool:
    """Numbers that begin with letters."""
    kinds = data.translate(_KINDS)
    if has_digits:
        if any(checks.is_dni(_squeezed(found[0])) for found in _NIE.finditer(data)):
            return True
        if _IBAN_BEGINS in kinds and any(
            checks.is_iban(_squeezed(found[0] + found[1])) for found in _IBAN.finditer(data)
        ):
            return True
    return _FISCALE in kinds and any(
        checks.is_codice_fiscale(found[0].decode().upper())
        for found in _FISCALE_SHAPE.finditer(data)
    )


def _is_card(shape: re.Match[bytes]) -> bool:
    if shape["plain"]:
        return len(shape["plain"]) in _CARD_SIZES and checks.is_card(shape["plain"].decode())
    if not shape["four"]:
        return False
    # What follows a card's number in groups of its own, such as its date, is not part of it.
    digits = ""
    for group in shape["four"].split(shape["f"]):
        digits += group.decode()
        if len(digits) in _CARD_SIZES and checks.is_card(digits):
            return True
    return False


def _is_id(data: bytes, shape: re.Match[bytes]) -> bool:
    name = shape.lastgroup or ""
    text = _squeezed(shape[name])
    if name == "plain":
        rows = _PLAIN.get(len(text), ())
    elif name == "four":
        # In its own groups an Aadhaar needs no name.
        return len(text) == 12 and shape["four"][9:10] == shape["f"] and checks.is_aadhaar(text)
    else:
        rows = (_GROUPED[name],)
    before = data[max(0, shape.start() - _NAMED) : shape.start()].lower()
    return any(
        (not names or any(word in before for word in names)) and check(text)
        for check, names in rows
    )


def _squeezed(text: bytes) -> str:
    return text.translate(None, _SEPARATORS).decode().upper()
