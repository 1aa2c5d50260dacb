"""Moving pictures in and out: the sandboxed decoder, the encoder, spools and thumbnails."""
