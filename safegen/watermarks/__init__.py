"""Watermark schemes, one file (or folder) each, looked up by name."""

from __future__ import annotations

__all__ = ["PUBLIC_KEY"]

PUBLIC_KEY: bytes = b"safegen public watermark key 1"
"""The key of marks that anyone may read: "made with safegen, id X".

It is public on purpose. The schemes are symmetric: whoever can read a mark with a key can also
forge one with it, so a mark under this key is a pointer into a ledger and never a proof.
"""
