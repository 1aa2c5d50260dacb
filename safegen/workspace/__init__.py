"""The workspace: where it lies and what its file says; opened with its ledger and keys by ``session``."""
