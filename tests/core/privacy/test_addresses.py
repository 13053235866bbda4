import pytest

from larouter.core.privacy.addresses import has_email


@pytest.mark.parametrize(
    "text",
    [
        "jane.doe@example.com",
        "Write to <jane+news@mail.example.co.uk>, please.",
        "mailto:a_b@x-y.org?subject=Hi",
        "müller@bücher.de",
        "x@xn--bcher-kva.xn--p1ai",
        "two@places. and real@example.org.",
        "名前@example.jp",
        "git@github.com but also jane@github.com",
        "legit@example.com",
    ],
)
def test_an_address_is_found(text):
    assert has_email(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "@app.route('/')",
        "follow @jane.doe",
        "a @ b.com",
        "a@b",
        "a@localhost",
        "a@b.c",
        "a@b..com",
        "a@.com",
        "lodash@4.17.21",
        "x = w@v.transpose()",
        "x = w@v.items[0]",
        "git@github.com:jane/site.git",
        "ssh://git@example.com/x",
        "user@",
        "Co-Authored-By: Claude <noreply@anthropic.com>",
        "No-Reply@shop.example",
        "a@-.--",
    ],
)
def test_what_only_has_an_at_is_not(text):
    assert not has_email(text)
