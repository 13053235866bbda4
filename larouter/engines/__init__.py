"""Local processes that run models, each behind an OpenAI-compatible port on loopback."""
