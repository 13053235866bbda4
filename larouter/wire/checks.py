"""Checks of a request's fields by the kind of JSON, for tables of them: each format has its own.

A check gets the field's name and its value, which is not null, and raises `BadRequest`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from larouter.wire.fields import LONGEST_NAME, wrong

Check = Callable[[str, Any], None]


def is_name(name: str, value: Any) -> None:
    if type(value) is not str or not 1 <= len(value) <= LONGEST_NAME or not value.isprintable():
        raise wrong(name, f"a name of 1 to {LONGEST_NAME} characters, without control characters")


def is_text(name: str, value: Any) -> None:
    if type(value) is not str:
        raise wrong(name, "a string")


def is_texts(name: str, value: Any) -> None:
    if type(value) is not list or any(type(item) is not str for item in value):
        raise wrong(name, "a list of strings")


def is_bool(name: str, value: Any) -> None:
    if type(value) is not bool:
        raise wrong(name, "true or false")


def is_object(name: str, value: Any) -> None:
    if type(value) is not dict:
        raise wrong(name, "an object")


def is_messages(name: str, value: Any) -> None:
    if type(value) is not list or not value:
        raise wrong(name, "a list with at least one message")


def is_integer(low: int, high: int) -> Check:
    def check(name: str, value: Any) -> None:
        if type(value) is not int or not low <= value <= high:
            raise wrong(name, f"a whole number from {low} to {high}")

    return check


def is_number(low: float, high: float) -> Check:
    def check(name: str, value: Any) -> None:
        if type(value) not in (int, float) or not low <= value <= high:
            raise wrong(name, f"a number from {low} to {high}")

    return check
