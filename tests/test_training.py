"""The rows that the classifier learnt from, and what its card says of it. Nothing is trained."""

import json

import pytest

from training import card, rows

OWN = sorted(rows.OWN.glob("*.jsonl"))
SHORT = 30
FORMS = [form for forms in rows._FORMS.values() for form in forms]


@pytest.fixture
def own(tmp_path, monkeypatch):
    """`load()` reads these lines as its only own rows."""
    monkeypatch.setattr(rows, "OWN", tmp_path)
    monkeypatch.delenv(rows.VARIABLE, raising=False)

    def wrote(*lines):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (tmp_path / "some.jsonl").write_text(text, "utf-8")
        return rows.load()

    return wrote


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_own_rows_are_whole(path):
    for line in rows._lines(path):
        asks = line.get("asks", [line])
        assert asks, line
        for ask in asks:
            assert ask["tier"] in rows.TIERS
            assert ask.get("alt") != ask["tier"]
            assert ask.get("alt") is None or ask["alt"] in rows.TIERS
        assert len(line.get("turns", [line.get("doc")])) % 2
        assert line["lang"]


def test_no_own_row_is_there_twice():
    seen = set()
    for path in OWN:
        for line in rows._lines(path):
            key = line.get("doc") or "\n".join([line.get("system") or "", *line["turns"]])
            # Two hands may type the same few letters.
            assert len(key) < SHORT or key not in seen, f"{path.name}: {key[:80]}"
            seen.add(key)


def test_a_row(own):
    (row,) = own(
        {"tier": "COMPLEX", "alt": "MODERATE", "lang": "en", "turns": ["hi", "yes?", "is it legal"],
         "system": "Be brief.", "tags": ["legal"]}
    )  # fmt: skip

    assert (row.tier, row.alt, row.source, row.file) == (3, 2, "own-some", "own")
    assert (row.asked.text, row.asked.answer, row.asked.system) == (
        "is it legal", "yes?", "Be brief.",
    )  # fmt: skip
    assert row.weight == 1.0
    assert row.wish is None


def test_wishes_about_a_text(own):
    text = "The deposit is 900. " * 40
    asks = [
        {"tier": "SIMPLE", "text": "how much?"},
        {"tier": "COMPLEX", "text": "Is that allowed?", "where": "after"},
        {"tier": "MODERATE", "text": "Kurz bitte", "where": "before", "lang": "de"},
    ]

    first, second, third = own({"lang": "en", "kind": "lease", "doc": text, "asks": asks})

    for row in (first, second, third):
        said = row.request.messages[-1].text
        assert row.wish in said
        assert text.strip() in said
        assert row.weight < 1
    assert "Is that allowed?" in second.request.messages[-1].text[-20:]
    assert third.request.messages[-1].text.startswith("Kurz bitte")
    assert [row.tags for row in (first, second)] == [("paste", "long-easy"), ("paste",)]
    assert [row.lang for row in (first, second, third)] == ["en", "en", "de"]


@pytest.mark.parametrize("form", FORMS)
def test_a_form_holds_both(form):
    assert form.count("{wish}") == form.count("{text}") == 1
    assert form.startswith("{wish}") or form.endswith("{wish}")


def test_rows_are_the_same_in_every_run(own):
    lines = [
        {"lang": "en", "doc": f"text {at}", "asks": [{"tier": "SIMPLE", "text": "why?"}]}
        for at in range(30)
    ]

    first, second = ([row.asked.text for row in own(*lines)] for _ in range(2))

    assert first == second
    assert len({text.replace(str(at), "") for at, text in enumerate(first)}) > 5


def test_paraphrases_are_of_own_rows():
    said = {line["turns"][-1] for path in OWN for line in rows._lines(path) if "turns" in line}

    for line in rows._lines(rows.PARAPHRASES):
        assert line["text"] in said
        assert len({line["text"], *line["as"]}) == 3
    assert len({row.group for row in rows.paraphrases()}) * 3 == len(rows.paraphrases())


def test_the_card_says_what_was_measured():
    report = json.loads((card.HERE / "report.json").read_text("utf-8"))
    text = card.CARD.read_text("utf-8")

    assert card.measured(report) in text
    assert report["sha256"] in text
