"""Helpers without a subject of their own: files, hashes, time, HTML, YAML, one bounded HTTP question."""
