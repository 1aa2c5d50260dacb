"""From a file found anywhere to one verdict: gather evidence from every layer, then decide."""
