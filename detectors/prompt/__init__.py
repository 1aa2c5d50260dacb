"""Detectors that look at a prompt."""
