"""The frames gate: what is seen in a clip, what a policy makes of it, and what is done about it."""
