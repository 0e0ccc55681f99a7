"""The sign-in's own fixtures: an identity provider on loopback, and people who arrive through it."""

from tests.foundation.people.conftest import arrive, idp, provider

__all__ = ["arrive", "idp", "provider"]
