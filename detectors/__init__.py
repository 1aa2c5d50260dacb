"""What looks at something and says what it finds: prompts, frames, files."""
