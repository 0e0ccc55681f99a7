"""What an engagement shows an auditor of the Type II tests: its controls, its period, and whether he may still work."""

from datetime import date

from governance.engagements import queries
from governance.kernel.current import Actor
from governance.testing.scope import Scope


def testing_scope(who: Actor) -> Scope | None:
    """None for members: all of the tenant."""
    if who.role != "auditor" or who.person_id is None:
        return None
    mine = queries.current(who.person_id)
    if not mine:
        return Scope(frozenset(), date.max, date.max, open=False, says="No engagement of yours is open.")
    seen = queries.scope_of(who.person_id)
    first, last = min(e.period_from for e in mine), max(e.period_to for e in mine)
    return Scope(seen.controls, first, last, says=", ".join(f"{e.firm}, {e.ref}" for e in mine))
