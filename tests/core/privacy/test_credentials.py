"""Secrets: by their makers' prefixes and by what stands before them."""

import pytest

from larouter.core.privacy.credentials import has_secret

# Put together here, so that no scanner takes this file for a leak.
RANDOM = "aB3dE5gH7jK9mN1pQ4sT6vW8xY2zC0fL5hR9"
HEADER = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
SECRETS = [
    "sk-" + RANDOM,
    "sk-ant-api03-" + RANDOM,
    "sk-proj-" + RANDOM,
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ASIA" + "IOSFODNN7EXAMPLE",
    "AIza" + RANDOM[:35],
    "GOCSPX-" + RANDOM,
    "ya29." + RANDOM,
    *(f"gh{letter}_{RANDOM}" for letter in "oprsu"),
    "github_pat_" + RANDOM,
    "glpat-" + RANDOM[:20],
    "xoxb-" + "123456789012-" + RANDOM,
    "xapp-1-" + RANDOM,
    "sk_live_" + RANDOM,
    "rk_test_" + RANDOM,
    "whsec_" + RANDOM,
    "hf_" + RANDOM,
    "gsk_" + RANDOM,
    "xai-" + RANDOM,
    "lr_" + RANDOM + "abcdefg",
    "npm_" + RANDOM,
    "pypi-AgEI" + RANDOM + RANDOM,
    f"SG.{RANDOM[:22]}.{RANDOM}{RANDOM[:7]}",
    "shpat_" + "0123456789abcdef" * 2,
    "dop_v1_" + "0123456789abcdef" * 4,
    "AGE-SECRET-KEY-1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" * 2,
    f"{HEADER}.eyJzdWIiOiIxMjM0NTY3ODkwIn0.{RANDOM}",
    "Authorization: Bearer " + RANDOM,
    *(
        f"-----BEGIN {kind}PRIVATE KEY-----"
        for kind in ("", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", "DSA ")
    ),
    "-----BEGIN PGP PRIVATE KEY BLOCK-----",
    "postgres://admin:hunter22@db.local/app",
    "password: hunter2",
    "my password is hunter2!",
    "PASSWORD=Tr0ub4dor&3",
    "**Password:** `Tr0ub4dor&3`",
    "Passwort lautet Sommer2024!",
    "mot de passe: soleil&2024",
    "contraseña: verano2024!",
    "senha: verao2024x",
    "Kennwort: Winter_2031",
    "wachtwoord: fiets7731z",
    'passphrase: "correct!horse"',
    'pwd := "q1w2e3r4t5"',
    "API_KEY=9f8a7b6c5d4e3f2a",
    "x-api-key: 9f8a7b6c5d4e3f2a",
    '"client_secret": "Zx9!kk20Qw"',
    "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCY",
    "access token: 550e8400-e29b-41d4-a716-446655440000",
    "masterkey => b7x-99-zulu",
]
HARMLESS = [
    "",
    "sk-",
    "a risk-free-and-very-long-hyphenated-word, and task-1234567890abcdefghij",
    "sk-learn-is-a-library-for-people-who-learn",
    "AKIAIOSFODNN7EXAMPLES2",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
    f"{HEADER}.notatoken.{RANDOM}",
    "https://example.com/" + RANDOM,
    RANDOM,
    "-----BEGIN CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----",
    "the PRIVATE KEY is not here",
    "https://user:password@host/",
    "https://user:$TOKEN@host/",
    "ssh://git@host:22/a",
    "see http://a.b/c and me@d.e",
    "password: string",
    "the password is wrong",
    "password: 8 characters at least",
    "the password is at least 12 characters",
    "password = request.form.password2",
    "password = get_password(user1)",
    "token = client1.fetch2",
    "token: &str1234",
    'password: "********"',
    'password: "{{ vault_9f8a7b6c }}"',
    "password: ${DB_PASSWORD_1}",
    "password: <your-password-1>",
    "api_key: YOUR_API_KEY_2",
    "api_key = os.environ['X1']",
    "max_tokens: 4096",
    "tokens: 4096abc",
    "monkey: banana22split",
    "keyboard: K380-b2xz",
    "secretary: anna2bella",
    "token: aaaaaaaaaaa1",
    "token: abc123",
    "passed: 12/34 tests",
    'password: "it was two words 2"',
    "password:",
    "pass",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_found(secret):
    for text in (secret, f"Look:\n{secret}\nplease.", f"({secret}"):
        assert has_secret(text.encode("ascii", "replace"))


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_alike_is_not(text):
    assert not has_secret(text.encode("ascii", "replace"))


def test_a_second_one_is_found_behind_a_harmless_one():
    text = f"{HARMLESS[2]} {RANDOM} PRIVATE KEY password: x, then password: hunter2"

    assert has_secret(text.encode())
    assert has_secret(f"PRIVATE KEY and -----BEGIN PRIVATE KEY-----\n{RANDOM}".encode())
