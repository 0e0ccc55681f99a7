"""Everyone has an inbox; what is in it follows from the permissions of its sources."""

from governance.foundation.people.permissions import OWN

__all__ = ["OWN"]
