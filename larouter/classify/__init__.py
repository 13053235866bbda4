"""How hard is this request? Cheap stages first; the first verdict counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from larouter.core.chat import ChatRequest
from larouter.core.ports import Stage
from larouter.core.route import Verdict


def cascade(stages: Sequence[Stage]) -> Callable[[ChatRequest], Verdict]:
    """Ask the stages in order; the last one must always have a verdict."""

    def classify(request: ChatRequest) -> Verdict:
        for stage in stages:
            verdict = stage.judge(request)
            if verdict is not None:
                return verdict
        raise AssertionError(f"the last stage, {stages[-1].name}, had no verdict")

    return classify
