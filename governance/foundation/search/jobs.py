"""Compare the search index of every tenant with its objects each night, and repair it."""

import structlog

from governance.foundation.search import indexing
from governance.foundation.tenants.for_each_tenant import once_a_day_in_each
from governance.kernel import current

CHECK = "check the search index"
log = structlog.get_logger("search")


def check_indexes() -> None:
    """Compare every tenant's index; what differed is repaired and is a warning of the operator's."""
    once_a_day_in_each(CHECK, _check_index)


def _check_index() -> None:
    differing = indexing.differences()
    if differing:
        log.warning("search index repaired", tenant=current.actor().tenant_slug, objects=differing)
