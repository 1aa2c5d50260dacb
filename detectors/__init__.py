"""Detectors: they examine prompts, frames or files and report what they find."""
