"""What clients put around their user's words."""

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from larouter.classify.clients import Clients
from larouter.config import folder

CLIENTS = Clients((folder("data") / "clients.toml").read_text("utf-8"))
_REMINDER = "<system-reminder>\nFiles changed: " + "x " * 3_000 + "\n</system-reminder>\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # Claude Code
        (_REMINDER + "Why is the sky blue?", "Why is the sky blue?"),
        ("Why? " + _REMINDER + _REMINDER, "Why?"),
        ("x-anthropic-billing-header: cc_version=1; cch=0\nHello", "Hello"),
        ("<command-name>/clear</command-name>\n<command-args></command-args>", ""),
        ("<command-message>x</command-message>\nReview the diff.", "Review the diff."),
        ("<ide_opened_file>The user opened a.py</ide_opened_file>\nfix it", "fix it"),
        ("fix it\n[Request interrupted by user]", "fix it"),
        ("[Request interrupted by user for tool use]", ""),
        # Codex
        ("<environment_context><cwd>/x</cwd></environment_context>Fix it", "Fix it"),
        ("# AGENTS.md instructions for /x\n\n<INSTRUCTIONS>\nbe good\n</INSTRUCTIONS>", ""),
        ("# AGENTS.md instructions for /x\n\n## Skills", ""),
        (
            "# Context from my IDE setup:\n\n- a\n\n## My request for Codex:\nmake it",
            "make it",
        ),
        (
            "# Context from my IDE setup:\n\n## Open tabs:",
            "# Context from my IDE setup:\n\n## Open tabs:",
        ),
        # Cline and Roo Code
        (
            "<task>\nfix bug\n</task>\n\n<environment_details>\nx\n</environment_details>",
            "fix bug",
        ),
        ("[read_file for 'a.py'] Result:\n\n1 | x", ""),
        ("[attempt_completion] Result:\n\n<feedback>\nnow tests\n</feedback>", "now tests"),
        ("[tool] Result:\n<user_message>\nhi\n</user_message>", "hi"),
        ("<answer>\nthe second\n</answer>", "the second"),
        # Gemini CLI
        ("This is the Gemini CLI. We are setting up the context for our chat.\nToday", ""),
        ("<session_context>\nThis is the Gemini CLI.\n</session_context>", ""),
        ("Here is the user's editor context as a JSON object.\n```json\n{}\n```", ""),
        # Cursor and what writes as it does
        ("<user_info>a</user_info>\n<user_query>\nhow?\n</user_query>", "how?"),
        (
            "<additional-data>\na\n</additional-data>\n  <user-query>\n    how?\n  </user-query>",
            "how?",
        ),
        # Copilot
        (
            "<context>\nThe current date is X.\n</context>\n<userRequest>\nhey (See <attachments>"
            " above for file contents. You may not need to search.)\n</userRequest>",
            "hey",
        ),
        # Zed
        ("why?\n<context>\nThe following items were attached by the user.\n\nx</context>", "why?"),
        # Aider
        ("fix it\n\n# *SEARCH/REPLACE block* Rules:\n\nEvery …", "fix it"),
        ("I have *added these files to the chat* so you can edit them.\n\na.py", ""),
        # opencode
        ('read it\nCalled the Read tool with the following input: {"filePath":"a"}', "read it"),
        # Open WebUI
        (
            "### Task:\nRespond to the user query using the provided context.\n"
            "<context>\nx\n</context>\n\nwhy?",
            "why?",
        ),
        # Templates
        ("Use the following pieces of context.\n\nblah\n\nQuestion: why?\nHelpful Answer:", "why?"),
        ("Context:\nblah\n\n**Question:** why?", "why?"),
        ("Kontext:\nbla\n\nFrage: warum?\nAntwort:", "warum?"),
        ("コンテキスト:\nあ\n\n質問\N{FULLWIDTH COLON}なぜ", "なぜ"),
        ("Below is an instruction.\n\n### Instruction:\nSay x\n\n### Response:", "Say x"),
        ("Say x\n\n### Response:", "Say x"),
    ],
)
def test_only_the_users_words_are_left(text, words):
    assert CLIENTS.words(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "Is a < b?",
        "What does <system-reminder> mean?",
        "What does <user_query> do?\n<user_query>",
        "<context>\nParis is nice\n</context>\nwhat is nice",
        "<INSTRUCTIONS>Summarise</INSTRUCTIONS> text",
        "<feedback>good food</feedback> summarise it",
        "<feedback>good food",
        "[1, 2, 3] sort this",
        "Context: I am late. What now?",
        "Question: what is x?\nA. one\nB. two",
        "<html>\n<body>\n<task>\n</body>",
        "# Context from my window",
    ],
)
def test_what_only_looks_like_it_stays(text):
    assert CLIENTS.words(text) == text


@pytest.mark.parametrize(
    "text",
    ["<system-reminder>" * 2_000, "\n<user_query>" * 2_500, "<task>\n" * 5_000, "<p>a</p>" * 4_000,
     "\n<system-reminder>\n<task>" * 1_000, "[x] Result:" + "\n<feedback>" * 2_500,
     "\n[Request interrupted by user" * 1_000,
     "Context:" + "\nQuestion:" * 3_000, "Context:\nQuestion: x" + "\nAnswer" * 4_000],
)  # fmt: skip
def test_beginnings_without_an_end_cost_no_more(text):
    began = perf_counter()
    CLIENTS.words(text)

    assert perf_counter() - began < 0.25


@given(st.text())
def test_words_are_never_invented(text):
    assert CLIENTS.words(text) in text
