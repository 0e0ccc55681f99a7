"""What an engagement shows an auditor: its controls with their evidence, its frameworks, its
period, and whether they may still work.
"""

from datetime import date

from governance.assurance.engagements import queries
from governance.assurance.frameworks import queries as frameworks
from governance.kernel.current import Actor
from governance.kernel.visibility_scope import Scope


def scope_of_auditor(who: Actor) -> Scope | None:
    """None for members: all of the tenant.

    Of several engagements that are open, what any of them shows.
    """
    if who.role != "auditor" or who.person_id is None:
        return None
    mine = queries.current(who.person_id)
    if not mine:
        return Scope(
            frozenset(),
            date.max,
            date.max,
            open=False,
            says="None of your engagements is open.",
            evidence=frozenset(),
            frameworks=frozenset(),
            requirements=frozenset(),
        )
    first, last = min(e.period_from for e in mine), max(e.period_to for e in mine)
    says = ", ".join(f"{e.firm}, {e.ref}" for e in mine)
    if any(each.framework_id is None for each in mine):
        return Scope(None, first, last, says=says)
    seen = queries.shown_by(mine)
    keys = frozenset(
        frameworks.framework_by_id(each.framework_id).key for each in mine if each.framework_id
    )
    asked = frozenset(
        i
        for each in mine
        if each.framework_id
        for i in queries.criteria_below(each.framework_id, each.criteria)
    )
    return Scope(
        seen.controls,
        first,
        last,
        says=says,
        evidence=seen.evidence,
        versions=seen.versions,
        frameworks=keys,
        requirements=asked,
    )
