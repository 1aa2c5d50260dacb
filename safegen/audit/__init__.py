"""The bias audit: what a model shows when a prompt leaves it open, what was released, what data contains.

``measures`` and ``inference`` hold the statistics; ``suites`` what is asked; ``run`` makes and reads clips;
``judge`` turns observations into an ``Audit``; ``report`` and ``page`` show it; ``data`` reads texts.
"""
