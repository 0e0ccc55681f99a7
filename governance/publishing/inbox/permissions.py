"""Everyone has an inbox; its content depends on the permissions of its sources."""

from governance.foundation.people.permissions import OWN

__all__ = ["OWN"]
