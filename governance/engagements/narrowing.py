"""What an engagement shows an auditor: its controls with their evidence, its frameworks, its period, and whether he may still work."""

from datetime import date

from governance.engagements import queries
from governance.frameworks import queries as frameworks
from governance.kernel.current import Actor
from governance.kernel.scope import Scope


def scope_of_auditor(who: Actor) -> Scope | None:
    """None for members: all of the tenant."""
    if who.role != "auditor" or who.person_id is None:
        return None
    mine = queries.current(who.person_id)
    if not mine:
        says = "No engagement of yours is open."
        return Scope(frozenset(), date.max, date.max, open=False, says=says, evidence=frozenset(), frameworks=frozenset())
    seen = queries.scope_of(who.person_id)
    ids = [each.framework_id for each in mine]
    keys = frozenset(frameworks.framework_by_id(i).key for i in ids if i) if all(ids) else None
    first, last = min(e.period_from for e in mine), max(e.period_to for e in mine)
    says = ", ".join(f"{e.firm}, {e.ref}" for e in mine)
    return Scope(seen.controls, first, last, says=says, evidence=seen.evidence, versions=seen.versions, frameworks=keys)
