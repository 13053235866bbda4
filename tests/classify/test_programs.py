"""Code of some size."""

import tomllib

import pytest

from larouter.classify.programs import Programs
from larouter.config import folder

PROGRAMS = Programs(tomllib.loads((folder("data") / "rules.toml").read_text("utf-8"))["code"])


@pytest.mark.parametrize(
    "text",
    ["Write a REST API in Go", "implement a compiler for Lisp", "write a full-stack app",
     "implement a regex engine in Rust with tests", "build me a REST API", "Please build a web app",
     "Schreib mir bitte eine Webanwendung mit Login", "Escribe una aplicación web",
     "écris un jeu de tetris", "scrivi un compilatore", "faz um app de delivery", "napisz emulator",
     "напиши телеграм бота для аренды", "写一个编译器", "写一个简单的编译器",
     "帮我写一个网站", "bouw een webserver"],
)  # fmt: skip
def test_code_of_some_size_is_frontier(text):
    assert PROGRAMS.asks(text.lower())


@pytest.mark.parametrize(
    "text",
    ["Write a function that calls a REST API", "write a regex for emails", "write a web app idea",
     "write a one-liner that starts a web server", "Write an email about our web app",
     "write a story about a game in Python", "create a logo for my web app", "write a SQL query",
     "帮我写一个关于游戏的小说", "schreib eine Funktion mit Tests", "build a bench for my garden",
     "write " + "very " * 12 + "big web app", "I use a web app", "写诗"],
)  # fmt: skip
def test_one_function_or_words_about_code_pass_on(text):
    assert not PROGRAMS.asks(text.lower())
