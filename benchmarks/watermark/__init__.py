"""How well watermarks survive, what they cost, and what stays visible: ``python -m benchmarks.watermark``."""
