"""Altered copies of genuine releases, thousands of them: none may be called genuine."""
