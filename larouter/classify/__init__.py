"""How hard is this request? Cheap stages first; the first verdict counts, and may be refined."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from larouter.core.chat import ChatRequest
from larouter.core.ports import Stage
from larouter.core.route import Verdict

Refine = Callable[[ChatRequest, Verdict], Verdict]
"""A second look at a verdict."""


def cascade(
    stages: Sequence[Stage], refine: Refine | None = None
) -> Callable[[ChatRequest], Verdict]:
    """Ask the stages in order; the last one must always have a verdict. `refine` sees the one
    that counts."""

    def classify(request: ChatRequest) -> Verdict:
        for stage in stages:
            verdict = stage.judge(request)
            if verdict is not None:
                return verdict if refine is None else refine(request, verdict)
        raise AssertionError(f"the last stage, {stages[-1].name}, had no verdict")

    return classify
