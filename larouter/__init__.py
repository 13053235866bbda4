"""LARouter: one OpenAI-compatible endpoint on your own machine that picks the model."""

__version__ = "0.1.0"
