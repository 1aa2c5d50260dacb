"""Detectors and attribute extractors that look at frames."""
