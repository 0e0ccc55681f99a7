"""Pages about a registered system's duties, and about changes of the law.

The latter list the systems to confirm, show the changes for one, and confirm.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import request, url_for

from governance.kernel import clock
from governance.kernel.formatting import plural
from governance.kernel.pages import bulk_pages
from governance.kernel.pages.bulk_pages import BulkAction
from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import Form
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.work.bulk import BulkChange, BulkColumn, BulkItem
from governance.operations.intake import (
    duty_states,
    law,
    law_actions,
    law_queries,
    permissions,
)
from governance.operations.intake.law_change import LawChange, duties_of
from governance.operations.intake.models import SystemProposal
from governance.operations.intake.triage import EU_CLASSES, LegalDuty
from governance.operations.intake.views import feature
from governance.operations.systems import actions as systems_actions
from governance.operations.systems import queries as systems
from governance.operations.systems.models import EU_ROLES, AISystem

CRUMB = "Changes of the law"


@feature.get("/systems/<key>/duties", needs=permissions.VIEW)
def duties(key: str) -> ResponseReturnValue:
    """Show the duties of the tenant and of its vendor for a registered system."""
    found = systems.system(key)
    proposal = law_queries.proposals_of([found.id]).get(found.id)
    act, given = law.current(), law_queries.classified(found, proposal)
    legal = duties_of(given, act) if found.ai_act_class else ()
    is_high_risk = found.ai_act_class == "high_risk"
    return page(
        "operations/intake/duties.html",
        system=found,
        duties=legal,
        states=duty_states.states_of(legal, found.id),
        questions=duty_states.vendor_questions(legal, found.name),
        proposal=proposal,
        act=act,
        is_to_confirm=law_queries.needs_confirmation(found),
        class_name=EU_CLASSES.get(found.ai_act_class),
        role=_role(found, proposal),
        annex_i_from=act.annex_i_from if is_high_risk and proposal is None else None,
        was_on_market=is_high_risk and _was_on_market(found, legal),
        today=clock.today(),
        confirm=law.CONFIRM,
    )


def _role(system: AISystem, proposal: SystemProposal | None) -> str | None:
    """Return the name of the tenant's role, by the register or the proposal."""
    return EU_ROLES.get(system.eu_role or (proposal.role if proposal else "") or "")


def _was_on_market(system: AISystem, legal: Sequence[LegalDuty]) -> bool:
    """Return True if it was on the market before a duty's date, so Article 111(2) may apply."""
    placed = system.placed_on
    return placed is not None and any(placed < each.applies_from for each in legal)


@feature.get("/intake/law-changes", needs=permissions.VIEW)
def law_changes() -> ResponseReturnValue:
    found = law_queries.page_of(request.args.get("after"))
    changes = law_queries.changes_of(found.rows)
    return page(
        "operations/intake/law_changes.html",
        rows=[(each, changes[each.id]) for each in found.rows],
        next=found.next,
        count=law_queries.count(),
        act=law.current(),
        eu_names=EU_CLASSES,
        confirm=law.CONFIRM,
    )


@feature.get("/intake/law-changes/<uuid:system_id>", needs=permissions.VIEW)
def law_change(system_id: UUID) -> ResponseReturnValue:
    found = systems.system(system_id)
    change = law_queries.change_of(found)
    proposal = law_queries.proposals_of([found.id]).get(found.id)
    item = _item(found, change)
    return page(
        "operations/intake/law_change.html",
        system=found,
        change=change,
        is_open=law_queries.needs_confirmation(found),
        proposal=proposal,
        role=_role(found, proposal),
        seen=f"{item.id}.{item.fingerprint}",
        eu_names=EU_CLASSES,
        confirm=law.CONFIRM,
    )


@feature.post("/intake/law-changes/confirm", needs=permissions.REVIEW)
def confirm_law() -> ResponseReturnValue:
    """Preview the confirmation of the ticked systems, or confirm the previewed ones."""
    home = url_for("intake.law_changes")
    action = BulkAction(
        noun="AI system",
        head="AI system",
        title="Confirm classes",
        columns=(BulkColumn("law_version", "Class under the law", _words),),
        find=_selected,
        apply=_apply,
        verb=lambda n: f"Confirm {plural(n, 'class', 'classes')}",
        done=lambda n: f"You confirmed {plural(n, 'class', 'classes')} under the law as amended.",
    )
    return bulk_pages.run(
        action,
        Form(),
        lambda _item: {"law_version": law.current_version()},
        ids=bulk_pages.selected(),
        back=home,
        crumbs=[("AI systems", url_for("systems.index")), (CRUMB, home)],
    )


def _selected(ids: Collection[UUID], lock: bool) -> list[BulkItem]:  # noqa: FBT001 - BulkAction's
    found = systems.find_systems(ids, lock=lock)
    changes = law_queries.changes_of(found)
    return [_item(each, changes[each.id]) for each in found]


def _item(system: AISystem, change: LawChange) -> BulkItem:
    return BulkItem(
        system.id,
        system.name,
        system.key,
        url_for("intake.law_change", system_id=system.id),
        {"law_version": law.kept_version(system.law_version), "version": system.version},
        _why_not(system, change),
    )


def _why_not(system: AISystem, change: LawChange) -> str | None:
    if not system.ai_act_class:
        return f"{system.name} has no class of the EU AI Act yet."
    return systems_actions.why_not(system) or change.why_not_confirmed


def _apply(changes: Collection[BulkChange]) -> None:
    law_actions.confirm([each.item.id for each in changes])


def _words(versions: Collection[Any]) -> Mapping[Any, str]:
    return {each: law.law(each).title for each in versions}
