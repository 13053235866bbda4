"""Check digits: is a number one that was given out, or just any number of that length?

Each takes the digits (and letters, in capitals) without what separates them.
"""

from __future__ import annotations

import datetime

_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
    "BI": 27, "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27,
    "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27,
    "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HN": 28, "HR": 21, "HU": 28,
    "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28,
    "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22,
    "MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23,
    "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24,
    "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25, "SV": 28,
    "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip
"""By country: SWIFT's IBAN registry."""
_LETTERS = {ord(letter): str(10 + at) for at, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ")}

# First digits, from and to, and how many digits a card has: ISO/IEC 7812, as networks publish it.
_ISSUERS = (
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("300", "305", (14, 16)),  # Diners Club
    ("36", "36", (14,)),
    ("38", "39", (14,)),
    ("3528", "3589", (16, 17, 18, 19)),  # JCB
    ("6011", "6011", (16, 17, 18, 19)),  # Discover
    ("644", "659", (16, 17, 18, 19)),
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    ("81", "81", (16, 17, 18, 19)),
    ("2200", "2204", (16, 17, 18, 19)),  # Mir
    ("508", "508", (16,)),  # RuPay
    ("606", "608", (16,)),
    ("5018", "5018", (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    ("5020", "5020", (13, 14, 15, 16, 17, 18, 19)),
    ("5038", "5038", (13, 14, 15, 16, 17, 18, 19)),
    ("5893", "5893", (13, 14, 15, 16, 17, 18, 19)),
    ("6304", "6304", (13, 14, 15, 16, 17, 18, 19)),
    ("6759", "6763", (13, 14, 15, 16, 17, 18, 19)),
)
_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
_SINGLE = bytes.maketrans(b"0123456789", bytes(range(10)))

_VERHOEFF_TIMES = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_TURNS = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip

_FISCALE_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11,
         3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)  # fmt: skip
_LAST_YEAR = 2040
"""Of a birthday: the program may be used for a while."""
_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"
_CHINESE_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHINESE_REGIONS = frozenset(
    map(str, (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55),
              *range(61, 66), 71, 81, 82, 83))
)  # fmt: skip


def is_card(digits: str) -> bool:
    """A payment card: a known issuer, and Luhn's check digit."""
    size = len(digits)
    return _luhn(digits.encode()) and any(
        size in sizes and first <= digits[: len(first)] <= last for first, last, sizes in _ISSUERS
    )


def _luhn(digits: bytes) -> bool:
    odd, even = digits[::-2].translate(_SINGLE), digits[-2::-2].translate(_DOUBLED)
    return (sum(odd) + sum(even)) % 10 == 0


def is_iban(text: str) -> bool:
    """A bank account of ISO 13616; what follows the account's own length is ignored."""
    size = _IBAN_LENGTHS.get(text[:2])
    if size is None or len(text) < size:
        return False
    turned = text[4:size] + text[:4]
    return int(turned.translate(_LETTERS)) % 97 == 1


def is_ssn(digits: str) -> bool:
    """A US social security number; it has no check digit, only numbers never given out."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    never = area in ("000", "666") or area[0] == "9" or group == "00" or serial == "0000"
    return not never and digits not in ("123456789", "078051120")


def is_german_tax_id(digits: str) -> bool:
    """An Identifikationsnummer: ISO 7064 MOD 11,10, and one digit that is there twice or thrice."""
    counts = sorted((digits[:10].count(digit) for digit in set(digits[:10])), reverse=True)
    if digits[0] == "0" or counts[0] not in (2, 3) or counts[1] != 1:
        return False
    product = 10
    for digit in digits[:10]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def is_cpf(digits: str) -> bool:
    """A Brazilian CPF."""
    if len(set(digits)) == 1:
        return False
    for size in (9, 10):
        total = sum(int(digit) * (size + 1 - at) for at, digit in enumerate(digits[:size]))
        if total * 10 % 11 % 10 != int(digits[size]):
            return False
    return True


def is_pesel(digits: str) -> bool:
    """A Polish PESEL of somebody born from 1900 on."""
    century, month = divmod(int(digits[2:4]), 20)
    if century > 1 or not _is_day(1900 + 100 * century + int(digits[:2]), month, int(digits[4:6])):
        return False
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 10 == 0


def is_bsn(digits: str) -> bool:
    """A Dutch BSN."""
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
    return total % 11 == 0 and total != 0


def is_dni(text: str) -> bool:
    """A Spanish DNI or NIE."""
    number = text[:-1].translate(str.maketrans("XYZ", "012"))
    return _DNI[int(number) % 23] == text[-1]


def is_codice_fiscale(text: str) -> bool:
    """An Italian codice fiscale, as it is for all but namesakes born on one day."""
    total = sum(_FISCALE_ODD[letter] for letter in text[:15:2])
    total += sum(int(letter) if letter.isdigit() else ord(letter) - 65 for letter in text[1:15:2])
    return chr(65 + total % 26) == text[15] and text[8] in "ABCDEHLMPRST"


def is_nir(text: str) -> bool:
    """A French social security number with its key; Corsica has letters."""
    if text[0] not in "123478" or not (1 <= int(text[3:5]) <= 12 or 20 <= int(text[3:5]) <= 42):
        return False
    number = text[:13].replace("2A", "19").replace("2B", "18")
    return number.isdigit() and 97 - int(number) % 97 == int(text[13:])


def is_chinese_id(text: str) -> bool:
    """A Chinese resident's number (GB 11643): region, birthday, check digit."""
    year, month, day = int(text[6:10]), int(text[10:12]), int(text[12:14])
    if text[:2] not in _CHINESE_REGIONS or year < 1900 or not _is_day(year, month, day):
        return False
    total = sum(
        int(digit) * weight for digit, weight in zip(text[:17], _CHINESE_WEIGHTS, strict=True)
    )
    return "10X98765432"[total % 11] == text[17]


def is_aadhaar(digits: str) -> bool:
    """An Indian Aadhaar: Verhoeff's check digit."""
    if digits[0] in "01":
        return False
    found = 0
    for at, digit in enumerate(reversed(digits)):
        found = int(_VERHOEFF_TIMES[found][int(_VERHOEFF_TURNS[at % 8][int(digit)])])
    return found == 0


def _is_day(year: int, month: int, day: int) -> bool:
    """Somebody alive may be born on it."""
    try:
        return datetime.date(year, month, day).year <= _LAST_YEAR
    except ValueError:
        return False
