"""Detectors that say where a file came from: credentials, watermark, content, ledger."""
