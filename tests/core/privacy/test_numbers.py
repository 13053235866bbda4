"""Numbers of cards and of people in running text."""

import random

import pytest

from larouter.core.privacy.numbers import find_number

CARDS = [
    "4111111111111111",
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "pay with 4111 1111 1111 1111 12/31 123, please",
    "order 2024 4111 1111 1111 1111",
    "card:378282246310005.",
    "3782 822463 10005",
    "4222 2222 2222 2",
    "3056 930902 5904",
    "2,4111111111111111,Jane",
]
IDS = [
    "DE89370400440532013000",
    "DE89 3704 0044 0532 0130 00 is mine",
    "gb29nwbk60161331926819",
    "ab12 DE89 3704 0044 0532 0130 00",
    "536-90-4399",
    "SSN 536904399",
    "86095742719",
    "86 095 742 719",
    "529.982.247-25",
    "my CPF is 52998224725",
    "12345678Z",
    "12345678-z",
    "12.345.678-Z",
    "X1234567L",
    "x-1234567-l",
    "rssmra85t10a562s",
    "BSN: 111222333",
    "burgerservicenummer 111.222.333",
    "44051401359",
    "11010519491231002x",
    "255081416802538",
    "2 55 08 14 168 025 38",
    "1 85 05 2A 006 084 35",
    "2341 2341 2346",
    "Aadhaar 234123412346",
]
NEITHER = [
    "",
    "4111111111111112",
    "4111 1111 1111 1112",
    "4111 1111-1111 1111",
    "x4111111111111111",
    "41111111111111110000",
    "0.4111111111111111",
    "4111111111111111.25",
    "2024-01-15 10:30:12,123",
    "+49 170 1234567 and 030/12345-678",
    "550e8400-e29b-41d4-a716-446655440000",
    "1700000000000",
    "DE88370400440532013000",
    "000-12-3456",
    "536904399",
    "111222333",
    "111 222 333",
    "52998224725",
    "234123412346",
    "2341 2341 2347",
    "86 095 742 718",
    "12345678A",
    "X1234567A",
    "RSSMRA85T10A562T",
    "1 85 05 2C 006 084 75",
    "ab12 1234567",
    "12345678901234567890123456789",
]


def find(text, *, card=True, id=True):
    return find_number(text.encode(), card=card, id=id)


@pytest.mark.parametrize("text", CARDS)
def test_a_card_is_found(text):
    assert find(text) == "card"
    assert find(text, id=False) == "card"
    assert find(f"Before: {text} (after)") == "card"


@pytest.mark.parametrize("text", IDS)
def test_an_id_is_found(text):
    assert find(text) == "id"
    assert find(text, card=False) == "id"
    assert find(f"Before: {text} (after)") == "id"


@pytest.mark.parametrize("text", NEITHER)
def test_another_number_is_not(text):
    assert find(text) is None


def test_only_what_is_wanted_is_found():
    assert find(CARDS[0], card=False) is None
    assert [find(text, id=False) for text in IDS] == [None] * len(IDS)


def test_a_run_that_goes_on_is_read_to_its_end():
    assert find("12345678 4111111111111111") == "card"
    assert find("1234567 a 4111111111111111") == "card"
    assert find("1234567 ab 41111111111111110000") is None


@pytest.mark.parametrize("size", range(8, 20))
def test_few_random_numbers_are_taken_for_somebody_s(size):
    source = random.Random(size)  # noqa: S311 - the same at each run
    texts = ["".join(source.choices("0123456789", k=size)) for _ in range(3000)]

    assert sum(find(text, card=False) is not None for text in texts) < 3000 * 0.02
