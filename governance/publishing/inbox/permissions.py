"""The permission to open the inbox. Everyone has it: its content depends on its sources."""

from governance.foundation.people.permissions import OWN

__all__ = ["OWN"]
