"""A model on a server: any engine that speaks OpenAI's ``/v1/videos``."""
