"""Every choice has words."""

import pytest

from larouter.core.policy import DEFAULT_POLICY, ESCALATIONS, MODES, PRIVACY, WHEN_LEFT, WHEN_SPENT
from larouter.core.policy_words import WORDS


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("mode", MODES),
        ("privacy", PRIVACY),
        ("escalation", ESCALATIONS),
        ("when_spent", WHEN_SPENT),
        ("when_left", WHEN_LEFT),
    ],
)
def test_each_choice_has_its_sentence(field, names):
    assert tuple(word.name for word in WORDS[field]) == names
    assert all(word.meaning.endswith(".") and word.title for word in WORDS[field])


def test_the_default_is_among_the_choices():
    assert DEFAULT_POLICY.mode in MODES
    assert DEFAULT_POLICY.escalation in ESCALATIONS
    assert DEFAULT_POLICY.when_spent in WHEN_SPENT
    assert DEFAULT_POLICY.when_left in WHEN_LEFT
