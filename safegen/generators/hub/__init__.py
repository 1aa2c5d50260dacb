"""Models from the Hugging Face hub: listed, pulled, pinned to a commit, checked at every load."""
