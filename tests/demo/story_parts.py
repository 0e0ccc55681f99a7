"""When the stories of the tests happen, and who is in them."""

from datetime import UTC, datetime
from uuid import UUID

from tests import make

NOW = datetime(2026, 11, 25, 9, 24, tzinfo=UTC)
PARTS = {
    "admin": "admin",
    "officer": "compliance_officer",
    "jun": "reviewer",
    "anna": "contributor",
}


class Parts:
    """The people of the tests in the parts of the demo."""

    def __call__(self, part: str):
        return make.actor(PARTS[part])

    def id(self, part: str) -> UUID:
        return make.person_id(PARTS[part])
