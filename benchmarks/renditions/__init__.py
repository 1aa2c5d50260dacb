"""Honest renditions and pasted marks: what the comparison of contents makes of each."""
