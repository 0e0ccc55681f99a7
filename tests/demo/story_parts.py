"""The time and the people of the stories in tests."""

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
    """The people of the tests, by their part in the demo."""

    def __call__(self, part: str):
        return make.actor(PARTS[part])

    def id(self, part: str) -> UUID:
        return make.person_id(PARTS[part])
