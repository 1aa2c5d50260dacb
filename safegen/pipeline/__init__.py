"""The single path from a request to a released file: one module per stage, in the order of ``steps``."""
