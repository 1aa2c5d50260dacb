"""Three readers of Content Credentials side by side, and mutants of genuine files (docs/conformance.md)."""
