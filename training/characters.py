"""The class of every character of Unicode's first plane, kept with the weights."""

from __future__ import annotations

import unicodedata

import numpy as np
import numpy.typing as npt

from larouter.classify.learned.text import DIGIT, IDEOGRAPH, LETTER, SIGN, SPACE

_IDEOGRAPHS = (
    (0x2E80, 0x3000), (0x3005, 0x3008), (0x3021, 0x3030), (0x3040, 0x3100), (0x3400, 0xA000),
    (0xF900, 0xFB00),
)  # fmt: skip


def table() -> npt.NDArray[np.uint8]:
    """Shape (65536,)."""
    classes = np.zeros(0x10000, np.uint8)
    for code in range(0x10000):
        category = unicodedata.category(chr(code))
        if category == "Nd":
            classes[code] = DIGIT
        elif category[0] in "LMN":
            classes[code] = LETTER
        else:
            classes[code] = SIGN if category[0] in "PS" else SPACE
    for first, end in _IDEOGRAPHS:
        classes[first:end] = IDEOGRAPH
    return classes
