"""Requests and clips that a policy held: the queue a person works through, matching, and export."""
