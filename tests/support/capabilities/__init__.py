"""The capability matrix: small real files of every kind, what becomes of each, and the page about it."""
