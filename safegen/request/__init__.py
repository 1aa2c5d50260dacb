"""From what a user asks for to a ``Request``: settings, sizes, storyboards, variations, and their checks."""
