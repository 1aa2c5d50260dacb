"""Recipe of the embedded prompt classifier: ``python -m training.guard train|evaluate``."""
