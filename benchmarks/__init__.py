"""Measurements: ``python -m benchmarks.<name>``. Not installed."""
