"""Fixtures of this feature."""

import pytest
from sqlalchemy import func, select

from governance.assurance.frameworks.models import FrameworkImport, OfficialText
from governance.foundation.audit.models import AuditEntry
from governance.foundation.logbook.actions import PAGE_VIEWED
from governance.kernel.data.db import session


@pytest.fixture
def count_written(acting):
    """Return a function that counts imports, texts and audit entries.

    Entries about an auditor's page views don't count, since they change nothing.
    """
    deeds = (
        select(func.count()).select_from(AuditEntry).where(AuditEntry.action != PAGE_VIEWED.name)
    )

    def count() -> tuple[int, ...]:
        with acting("compliance_officer", read_only=True):
            held = (
                select(func.count()).select_from(model) for model in (FrameworkImport, OfficialText)
            )
            return tuple(session().scalar(counting) or 0 for counting in (*held, deeds))

    return count
