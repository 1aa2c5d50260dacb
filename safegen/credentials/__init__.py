"""C2PA Content Credentials: build a manifest, sign a file, read a file's credentials.

Nothing is imported here: ``c2pa`` is a native library and loads only when a file is signed or read.
See ``manifest``, ``sign``, ``read`` and ``explain``.
"""
