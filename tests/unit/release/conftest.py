"""A ledger for releases to be recorded in, the same as the ledger's own tests have."""

from tests.unit.ledger.conftest import (  # noqa: F401
    empty_database,
    fresh,
    ledger,
    open_ledger,
    signer,
    tmp_path,
)
