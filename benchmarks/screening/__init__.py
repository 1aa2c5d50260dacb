"""How well prompts are screened: ``python -m benchmarks.screening``."""
