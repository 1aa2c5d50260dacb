"""A small procedurally rendered world: scenes, their frames and the captions that describe them."""
