"""Passwords, keys and tokens: by the prefixes that their makers give them, and by what stands
before them ("password: …").

A secret without either, such as a password in a sentence of its own, looks like any other word and
is not found.
"""

from __future__ import annotations

import re
from collections import Counter
from math import log2

_WORD = bytes(
    ord("a") if byte < 128 and (chr(byte).isalnum() or byte in b"_-") else ord(" ")
    for byte in range(256)
)
_RUN = b"a" * 16
"""Every key below begins with so many letters, digits, hyphens and underscores in a row, which
ordinary text has not; so one look spares all the others."""

# As their makers document them, or as their own keys look; read 2026-11.
_KEYS = (
    rb"sk-(?=[A-Za-z_-]{0,60}[0-9])[A-Za-z0-9_-]{20}",  # OpenAI, Anthropic, DeepSeek, OpenRouter …
    rb"A(?:KIA|SIA)[A-Z0-9]{16}(?![A-Za-z0-9])",  # Amazon
    rb"AIza[A-Za-z0-9_-]{35}",  # Google
    rb"GOCSPX-[A-Za-z0-9_-]{20}",
    rb"(?<=ya29\.)[A-Za-z0-9_-]{20}",
    rb"gh[oprsu]_[A-Za-z0-9]{30}",  # GitHub
    rb"github_pat_[A-Za-z0-9_]{22}",
    rb"glpat-[A-Za-z0-9_-]{20}",  # GitLab
    rb"xox[abeoprs]-[A-Za-z0-9-]{10}",  # Slack
    rb"xapp-[A-Za-z0-9-]{20}",
    rb"[rs]k_(?:live|test)_[A-Za-z0-9]{16}",  # Stripe
    rb"whsec_[A-Za-z0-9]{16}",
    rb"hf_[A-Za-z0-9]{30}",  # Hugging Face
    rb"gsk_[A-Za-z0-9]{30}",  # Groq
    rb"xai-[A-Za-z0-9]{30}",  # xAI
    rb"lr_[A-Za-z0-9_-]{43}",  # LARouter
    rb"npm_[A-Za-z0-9]{36}",
    rb"pypi-[A-Za-z0-9_-]{50}",
    rb"(?<=SG\.)[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{40}",  # SendGrid
    rb"shpat_[a-fA-F0-9]{32}",  # Shopify
    rb"dop_v1_[a-f0-9]{64}",  # DigitalOcean
    rb"AGE-SECRET-KEY-1[A-Z0-9]{50}",
    # A JSON Web Token (RFC 7519): `eyJ` is what every `{"` begins with in base64.
    rb"eyJ[A-Za-z0-9_-]{10,9999}\.eyJ[A-Za-z0-9_-]{6,9999}\.[A-Za-z0-9_-]{10}",
    rb"(?<=[Bb]earer )(?=[A-Za-z_-]{0,60}[0-9])[A-Za-z0-9_-]{20}",  # RFC 6750
)
_KEY = re.compile(b"|".join(_KEYS))
_PRIVATE = re.compile(rb"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}$")
_PRIVATE_KEY = b"PRIVATE KEY"
_BEFORE = 60
_USER_INFO = re.compile(rb"://[^\s/@:?#\"'<>]{0,64}:([^\s/@\"'<>]{3,128})@")
"""https://user:password@host"""

_PASS = rb"pass(?:word|wd|wort|phrase|code|e)?"
_NAMES = tuple(
    (anchor, before, re.compile(name + rb"[\"'`*)\]]{0,3}" + sign))
    for anchor, before, name, sign in (
        # Only of a password does somebody say what it "is".
        (b"pass", (), _PASS, rb"(?:\s{0,3}(?:=>|:=|[:=]{1,2})|\s(?:is|ist|lautet|es|est|:)\s)"),
        (b"pwd", (), rb"pwd", rb"\s{0,3}(?:=>|:=|[:=]{1,2})"),
        (b"ecret", (), rb"ecret(?:[_-]?(?:access)?[_-]?key)?", rb"\s{0,3}(?:=>|:=|[:=]{1,2})"),
        (b"oken", (), rb"oken", rb"\s{0,3}(?:=>|:=|[:=]{1,2})"),
        (
            b"key",
            (b"api", b"access", b"account", b"auth", b"private", b"encryption", b"master"),
            rb"key",
            rb"\s{0,3}(?:=>|:=|[:=]{1,2})",
        ),
        (b"kennwort", (), rb"kennwort", rb"\s{0,3}(?::|ist\s)"),
        (b"contrase", (), rb"contrase.a", rb"\s{0,3}(?:[:=]|es\s)"),
        (b"senha", (), rb"senha", rb"\s{0,3}[:=]"),
        (b"wachtwoord", (), rb"wachtwoord", rb"\s{0,3}(?:[:=]|is\s)"),
    )
)
_VALUE = re.compile(rb"[\s*]{0,4}(?:([\"'`])([^\"'`\n]{6,128})\1|([^\s\"'`,;<>]{6,129}))")
_CODE = re.compile(rb"[$&*<%{\[(@]|.*(?:\(|\[|\{|->|::)|[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)+$")
"""What a program writes where a secret is going to be: calls, variables, templates."""
_PLACEHOLDER = re.compile(
    rb"pass|pwd|secret|token|key|example|change|placeholder|dummy|xxx|\*\*\*|\.\.\.|your|env\b"
)
_DIGIT, _LETTER, _OTHER = map(re.compile, (rb"[0-9]", rb"[A-Za-z]", rb"[0-9!@#$%^&*+?~]"))
_MOST = 128
_LEAST_BITS = 18.0
"""`hunter2` has 19.7, `abc123` 15.5: below this it is as likely a word as a password."""


def has_secret(data: bytes) -> bool:
    if _has_key(data, data.translate(_WORD)):
        return True
    if _PRIVATE_KEY in data and _has_private_key(data):
        return True
    if (
        b"@" in data
        and b"://" in data
        and any(_is_secret(found[1]) for found in _USER_INFO.finditer(data))
    ):
        return True
    return _has_named(data, data.lower())


def _has_key(data: bytes, words: bytes) -> bool:
    at = words.find(_RUN)
    while at >= 0:
        if _KEY.match(data, at):
            return True
        end = words.find(b" ", at)
        at = words.find(_RUN, end) if end >= 0 else -1
    return False


def _has_private_key(data: bytes) -> bool:
    """A block of PEM (RFC 7468), OpenSSH's and PGP's too."""
    at = data.find(_PRIVATE_KEY)
    while at >= 0:
        if _PRIVATE.search(data[max(0, at - _BEFORE) : at]):
            return True
        at = data.find(_PRIVATE_KEY, at + 1)
    return False


def _has_named(data: bytes, lowered: bytes) -> bool:
    """`password: …`, `API_KEY=…`, "my password is …": a name, a sign and something random."""
    for anchor, before, name in _NAMES:
        at = lowered.find(anchor)
        while at >= 0:
            found = name.match(lowered, at)
            if found and (
                not before or lowered[max(0, at - 12) : at].rstrip(b"_- ").endswith(before)
            ):
                value = _VALUE.match(data, found.end())
                if value and _is_value(value[2], value[3]):
                    return True
            at = lowered.find(anchor, at + len(anchor))
    return False


def _is_value(quoted: bytes | None, bare: bytes | None) -> bool:
    if quoted is not None:
        return b" " not in quoted and _is_secret(quoted)
    value = (bare or b"").rstrip(b".,;:!?)]}*")
    # In a program a name without quotes is a variable, whatever signs are around it.
    return _DIGIT.search(value) is not None and _is_secret(value) and not _CODE.match(value)


def _is_secret(value: bytes) -> bool:
    """Does it look like something that a person or a program made up to be secret?"""
    return (
        6 <= len(value) <= _MOST
        and value[:1] not in b"$%{<"
        and _PLACEHOLDER.search(value.lower()) is None
        and _LETTER.search(value) is not None
        and _OTHER.search(value) is not None
        and _bits(value) >= _LEAST_BITS
    )


def _bits(value: bytes) -> float:
    """Shannon's entropy of the letters, times their number."""
    size = len(value)
    return -sum(count * log2(count / size) for count in Counter(value).values())
