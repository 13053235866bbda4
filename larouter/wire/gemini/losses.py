"""What is lost between Gemini and the others; docs/translation.md shows these rows."""

from __future__ import annotations

from larouter.wire.losses import Loss

OF_DIALECT = (
    Loss("tools", "refused", "Google itself runs it (googleSearch, codeExecution, urlContext …)"),
    Loss("candidateCount", "refused", "other providers give one answer", (1,)),
    Loss("cachedContent", "refused", "it is kept at Google"),
    Loss("continuationToken", "refused", "only Google can continue its own answer"),
    Loss("responseLogprobs", "refused", "log probabilities are not translated", (False,)),
    Loss("logprobs", "refused", "log probabilities are not translated"),
    Loss("responseModalities", "refused", "answers are text", ([], ["TEXT"])),
    Loss("responseFormat", "refused", "responseMimeType and responseJsonSchema are translated"),
    Loss("speechConfig", "refused", "answers are text"),
    Loss("imageConfig", "refused", "answers are text"),
    Loss("translationConfig", "refused", "only Google's own models take it"),
    Loss("audioTranscriptionConfig", "refused", "only Google's own models take it"),
    Loss("safetySettings", "left out", "other providers set their own limits"),
    Loss("mediaResolution", "left out", "other providers choose it themselves"),
    Loss("enableEnhancedCivicAnswers", "left out", "only Google has it"),
    Loss("serviceTier", "left out", "tiers of service differ from provider to provider"),
    Loss("store", "left out", "nothing is stored at other providers"),
    Loss("labels", "left out", "they are for Google's billing"),
)

OF_WIRE = (
    Loss("parallel_tools", "left out", "Gemini decides how many tools it calls at once"),
    Loss("user", "left out", "Gemini has no field for it"),
    # "Penalty is not enabled for this model": every Gemini since 2.5 answers 400.
    Loss("presence_penalty", "left out", "no Gemini model since 2.5 takes it"),
    Loss("frequency_penalty", "left out", "no Gemini model since 2.5 takes it"),
)
