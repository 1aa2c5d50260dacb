"""The scheme's name, apart from the plug-in, so that its detector can say it without importing that."""

from __future__ import annotations

ALG = "org.safegen.watermark.tile.1"
"""As soft bindings and readings name it."""
