"""``python -m safegen``: the command line."""

from safegen.cli import main

main()
