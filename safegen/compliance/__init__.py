"""What a file shows towards disclosure rules, requirement by requirement. Not legal advice."""
