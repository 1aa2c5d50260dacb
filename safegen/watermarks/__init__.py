"""Watermark schemes, one file (or folder) each, looked up by name."""
