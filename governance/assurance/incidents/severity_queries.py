"""Queries for the tenant's severities."""

from collections.abc import Mapping

from sqlalchemy import true

from governance.assurance.incidents import severities
from governance.assurance.incidents.models import SeverityName
from governance.assurance.incidents.severities import Severity
from governance.kernel.data.selects import Rows

SEVERITIES = Rows(SeverityName, lambda _m: true(), lambda m: (m.level,))


def severity_names() -> Mapping[int, Severity]:
    """Return the four severities by level, with the tenant's names."""
    own = {each.level: each for each in SEVERITIES.read()}
    return {
        each.level: Severity(each.level, own[each.level].name, own[each.level].meaning)
        if each.level in own
        else each
        for each in severities.DEFAULT
    }
