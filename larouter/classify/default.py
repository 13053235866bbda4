"""The last stage: a sane tier from what can be seen without understanding.

It stands where the trained classifier will: a verdict for everything, and it says that it is a
guess. Mistakes are not symmetric: a hard prompt that stays local spoils an answer, an easy one
that goes to a cloud costs a cent. So in doubt it looks up.
"""

from __future__ import annotations

import re

from larouter.classify.question import question
from larouter.core.chat import ChatRequest
from larouter.core.route import Verdict

_CODE = re.compile(
    r"```|\bdef \w+\(|\bclass \w+|#include|function\s*\(|=>\s*\{|SELECT .+ FROM|"
    r"Traceback|Exception|\bpython\b|\bjavascript\b|\btypescript\b|\brust\b|\bsql\b|\bregex\b",
    re.IGNORECASE,
)
_REASONING = re.compile(
    r"\b(?:analy[sz]e|analysis|compare|trade-?offs?|evaluate|critique|debug|optimi[sz]e|derive|"
    r"step[- ]by[- ]step|strategy|implications?|how many|how much|probability|solve|calculate|"
    r"analysiere|vergleiche|bewerte|berechne|compare[zr]|évalue|calcule|analiza|compara|calcula|"
    r"analise|confronta|analizza|calcola|проанализируй|сравни|вычисли|porównaj|przeanalizuj)\b"
    r"|分析|比较|计算|計算|比較|분석|비교|계산",
    re.IGNORECASE,
)
_ARCHITECTURE = re.compile(
    r"\b(?:architecture|system design|distributed system|microservices|codebase|repository|"
    r"pull request|migrate|end[- ]to[- ]end)\b",
    re.IGNORECASE,
)
_TRANSFORMING = re.compile(
    r"\s*(?:please\s+)?(?:summari[sz]e|translate|rewrite|rephrase|proofread|shorten|explain|"
    r"fasse|übersetze|résume|traduis|traduce|resume|resuma|traduza|riassumi|traduci|переведи|"
    r"翻译|翻訳|总结|要約|번역|요약)",
    re.IGNORECASE,
)
_SHORT = 120
_LONG = 1_500


class Default:
    """Always has a verdict; its confidence is low and says so."""

    name = "default"
    lean = 0.0

    def judge(self, request: ChatRequest) -> Verdict:
        text = question(request)
        if _CODE.search(text):
            large = _ARCHITECTURE.search(text) or len(text) > _LONG
            if large:
                return _verdict("FRONTIER", 0.9, "looks like a larger piece of code")
            return _verdict("COMPLEX", 0.7, "looks like code")
        if _TRANSFORMING.match(text):
            return _verdict("MODERATE", 0.4, "a text to summarise, translate or explain")
        if _ARCHITECTURE.search(text):
            return _verdict("FRONTIER", 0.85, "looks like a question of architecture")
        if _REASONING.search(text):
            return _verdict("COMPLEX", 0.7, "looks like analysis or reasoning")
        if request.needs & {"tools"} and len(text) > _SHORT:
            return _verdict("COMPLEX", 0.65, "a longer task with tools")
        if len(text) <= _SHORT and text.count("\n") == 0:
            return _verdict("SIMPLE", 0.2, "a short question")
        return _verdict("MODERATE", 0.45, "nothing marks it as easy or hard")


def _verdict(tier: str, score: float, reason: str) -> Verdict:
    return Verdict(
        tier=tier,
        score=score,
        need_strong=score,
        confidence=0.5,
        stage=Default.name,
        reason=reason,
    )
