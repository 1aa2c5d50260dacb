"""Consent to a person's likeness: who agreed to what, until when, on which evidence; kept in the ledger."""
