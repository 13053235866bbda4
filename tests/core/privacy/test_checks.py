"""Check digits: published examples are right, and any digit changed makes them wrong."""

import random

import pytest

from larouter.core.privacy import checks

# Examples that the issuers, their standards or well-known test suites publish; of nobody.
GOOD = [
    (checks.is_card, "4111111111111111"),
    (checks.is_card, "4222222222222"),
    (checks.is_card, "5555555555554444"),
    (checks.is_card, "2223003122003222"),
    (checks.is_card, "378282246310005"),
    (checks.is_card, "30569309025904"),
    (checks.is_card, "6011111111111117"),
    (checks.is_card, "3530111333300000"),
    (checks.is_card, "6200000000000005"),
    (checks.is_iban, "DE89370400440532013000"),
    (checks.is_iban, "GB29NWBK60161331926819"),
    (checks.is_iban, "FR1420041010050500013M02606"),
    (checks.is_iban, "NO9386011117947"),
    (checks.is_iban, "MT84MALT011000012345MTLCAST001S"),
    (checks.is_german_tax_id, "86095742719"),
    (checks.is_german_tax_id, "65929970489"),
    (checks.is_cpf, "52998224725"),
    (checks.is_cpf, "11144477735"),
    (checks.is_dni, "12345678Z"),
    (checks.is_dni, "X1234567L"),
    (checks.is_codice_fiscale, "RSSMRA85T10A562S"),
    (checks.is_bsn, "111222333"),
    (checks.is_pesel, "44051401359"),
    (checks.is_pesel, "02070803628"),
    (checks.is_chinese_id, "11010519491231002X"),
    (checks.is_nir, "255081416802538"),
    (checks.is_aadhaar, "234123412346"),
]


@pytest.mark.parametrize(("check", "number"), GOOD)
def test_a_published_example_is_right(check, number):
    assert check(number)


@pytest.mark.parametrize(("check", "number"), GOOD)
def test_no_digit_of_it_may_be_another(check, number):
    at = len(number) - 2 if number[-1].isdigit() else len(number) - 3
    others = [
        number[:at] + digit + number[at + 1 :] for digit in "0123456789" if digit != number[at]
    ]

    assert sum(map(check, others)) == 0


@pytest.mark.parametrize(
    ("check", "number"),
    [
        (checks.is_card, "1111111111111117"),
        (checks.is_card, "411111111111111"),
        (checks.is_iban, "XX89370400440532013000"),
        (checks.is_iban, "DE8937040044053201300"),
        (checks.is_ssn, "000123456"),
        (checks.is_ssn, "666123456"),
        (checks.is_ssn, "912123456"),
        (checks.is_ssn, "536003456"),
        (checks.is_ssn, "536120000"),
        (checks.is_ssn, "123456789"),
        (checks.is_german_tax_id, "06095742719"),
        (checks.is_german_tax_id, "12345678903"),
        (checks.is_german_tax_id, "11223456789"),
        (checks.is_german_tax_id, "11111111111"),
        (checks.is_cpf, "11111111111"),
        (checks.is_bsn, "000000000"),
        (checks.is_pesel, "44931401359"),
        (checks.is_pesel, "44053201359"),
        (checks.is_chinese_id, "99010519491231002X"),
        (checks.is_chinese_id, "11010518491231002X"),
        (checks.is_chinese_id, "11010519491331002X"),
        (checks.is_nir, "555081416802538"),
        (checks.is_nir, "255131416802538"),
        (checks.is_nir, "2550814A6802538"),
        (checks.is_aadhaar, "134123412346"),
        (checks.is_codice_fiscale, "RSSMRA85T10A562T"),
        (checks.is_codice_fiscale, "RSSMRA85F10A562S"),
        (checks.is_dni, "12345678A"),
    ],
)
def test_what_was_never_given_out_is_wrong(check, number):
    assert not check(number)


def test_corsica_counts_by_letters():
    number = 97 - int("1850519006084") % 97

    assert checks.is_nir(f"185052A006084{number:02}")


def test_us_numbers_have_no_check_digit():
    assert checks.is_ssn("536904399")


def test_few_random_cards_are_right():
    source = random.Random(4)  # noqa: S311 - the same at each run
    right = sum(checks.is_card(f"{source.randrange(10**16):016}") for _ in range(5000))

    assert right < 5000 * 0.04
