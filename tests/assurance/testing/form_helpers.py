"""Forms, counts and statuses for the tests of Type II testing."""

from sqlalchemy import select

from governance.foundation.audit.models import AuditEntry
from governance.kernel.data.db import session
from tests import make


def entries_of_action(action):
    with make.acting("compliance_officer", read_only=True):
        found = (
            session()
            .scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.at))
            .all()
        )
        session().expunge_all()
        return found


def count_rows(model):
    with make.acting(read_only=True):
        return len(session().scalars(select(model.id)).all())
