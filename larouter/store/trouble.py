"""What a person has to know when the books or the disk are in trouble (TRUST A9, B14, B15)."""

from __future__ import annotations


def trouble_words(writes_fail: bool, kept_aside: int, wrong: list[str]) -> list[str]:
    """Sentences; none: all is well. `wrong` is what the books' last check found."""
    found = []
    if writes_fail:
        found.append(
            "LARouter cannot write to its database, so nothing is sent until it can. "
            "Check free disk space and the data folder."
        )
    if kept_aside:
        answers = "1 answer" if kept_aside == 1 else f"{kept_aside:,} answers"
        found.append(
            f"The figures of {answers} are kept aside, as the database could not take them; "
            "they are written when it can."
        )
    if wrong:
        found.append(
            "The books do not add up, so nothing is sent that a budget limits. "
            "The log says what is wrong; please report it."
        )
    return found
