"""The scope of an auditor: controls, evidence, frameworks and period of their engagements."""

from collections.abc import Sequence
from datetime import date

from governance.assurance.engagements import queries, scope_queries
from governance.assurance.engagements.models import Engagement
from governance.assurance.frameworks import queries as frameworks
from governance.kernel.current import Actor
from governance.kernel.safety.visibility_scope import Scope


def scope_of_auditor(who: Actor) -> Scope | None:
    """Return the scope of an auditor over all open engagements. None for members: no limit."""
    if who.role != "auditor" or who.person_id is None:
        return None
    mine = queries.open_engagements_of(who.person_id)
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
    return scope_of(mine)


def scope_of(mine: Sequence[Engagement]) -> Scope:
    """Return the combined scope of these engagements. `mine` must not be empty."""
    first, last = min(e.period_from for e in mine), max(e.period_to for e in mine)
    named = all(each.shows_names for each in mine)
    says = ", ".join(f"{e.firm}, {e.ref}" for e in mine)
    if any(each.framework_id is None and not each.is_red_team for each in mine):
        return Scope(None, first, last, says=says, shows_names=named)
    seen = scope_queries.shown_by(mine)
    keys = frozenset(
        frameworks.framework_by_id(each.framework_id).key
        for each in mine
        if each.framework_id and not each.is_red_team
    )
    asked = frozenset(
        i
        for each in mine
        if each.framework_id and not each.is_red_team
        for i in scope_queries.criteria_below(each.framework_id, each.criteria)
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
        shows_names=named,
    )
