"""What may be made and what counts as proven: YAML packs and the small engine that applies them."""
