"""One way from a request to a released file: one file per stage, in the order of ``steps``."""
