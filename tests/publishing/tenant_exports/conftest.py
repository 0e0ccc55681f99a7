"""Fixtures for admins who sign in at their provider."""

from tests.foundation.people.conftest import arrive, idp, provider

__all__ = ["arrive", "idp", "provider"]
