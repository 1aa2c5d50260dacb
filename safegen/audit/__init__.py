"""The bias audit: what a model shows when a prompt leaves it open, what was released, what data contains.

``measures`` and ``inference`` hold the statistics; ``suites`` what is asked; ``run`` makes and reads clips;
``evaluation`` turns observations into an ``Audit``; ``html_report`` and ``json_report`` show it; ``data``
reads texts.
"""
