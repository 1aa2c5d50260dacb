"""The clip that descriptions are tested on."""

from tests.unit.accessibility.conftest import at_home, mp4, two_shots  # noqa: F401
