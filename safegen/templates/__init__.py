"""Templates: prompts with fields, for the uses people have, filled from a table, one signed clip a row.

A template is one YAML file (``packs/`` holds those that come with safegen; see ``docs/templates.md``).
``load`` reads one, ``run`` makes clips from one.
"""

from __future__ import annotations

from safegen.templates.loading import catalogue, load, names
from safegen.templates.request import Options
from safegen.templates.results import Row, RunReport
from safegen.templates.run import run
from safegen.templates.schema import Template

__all__ = ["Options", "Row", "RunReport", "Template", "catalogue", "load", "names", "run"]
