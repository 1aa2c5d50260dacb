"""Generators: the embedded model, any diffusers pipeline, and models on servers; ``registry`` finds them."""
