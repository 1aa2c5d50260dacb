"""Reading and writing video: the sandboxed decoder, the encoder, spools and thumbnails."""
