"""Three readers of Content Credentials side by side, and mutants that none may call genuine (docs/conformance.md)."""
