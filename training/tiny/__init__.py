"""Trains the embedded text-to-video model from scratch on one CPU core: `python -m training.tiny --help`."""
