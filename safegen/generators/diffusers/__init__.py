"""Any diffusers video pipeline as a generator."""
