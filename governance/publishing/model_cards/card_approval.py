"""The approval of a model card: another person publishes exactly what was requested."""

from collections.abc import Iterator, Mapping
from typing import Any

from governance.foundation.approvals.kinds import (
    ApprovalEffect,
    ApprovalKind,
    Description,
    ProposedChange,
)
from governance.foundation.approvals.models import Approval
from governance.operations.systems import queries as systems
from governance.publishing.model_cards import actions, card, permissions, queries
from governance.publishing.model_cards import record as system_record
from governance.publishing.model_cards.record import AssembledCard


def _describe(approval: Approval) -> Description:
    system = systems.system(approval.target_id)
    chosen, before = system_record.described(system.id), queries.newest(system.id)
    now = system_record.assembled(system, chosen.release)
    changed = card.changes(before.content, now.content) if before else []
    return Description(
        title=approval.summary,
        heading="What anybody will read",
        sub=f"The card describes release {now.release}",
        changes=[ProposedChange(each.part, each.old, each.new) for each in changed],
        facts=[("Release", f"{now.release}, {chosen.reason}"), *_facts(now)],
        effects=[*_effects(approval, now)],
        covers="Covers all that readers get. When a figure or a text changes, the request is void.",
        back=("Preview", "model_cards.preview", {"system_key": system.key}),
        verb="Approve and publish",
        is_final=True,
        consequence="It is public at once. It can be withdrawn, and readers see that it was.",
    )


def _facts(now: AssembledCard) -> Iterator[tuple[str, str]]:
    for each in now.content["figures"]:
        missed = ", misses its limit" if each["verdict"] == "fail" else ""
        now_says = f"; {words}" if (words := card.in_force_words(each)) else ""
        source = f"n = {each['n']:,}, run {each['run']:,}"
        yield each["name"], f"{card.shown(each)}, {source}{missed}{now_says}"
    for each in now.content["known_failures"]:
        yield each["ref"], f"{each['title']}. {each['text']}"


def _effects(approval: Approval, now: AssembledCard) -> Iterator[ApprovalEffect]:
    if approval.state == "open":
        for each in now.blockers:
            yield ApprovalEffect("bad", each.lead, each.text)
    if queries.public_token(approval.target_id) is None:
        yield ApprovalEffect("ok", "The card gets a public address.", "Nobody can guess it.")
    else:
        yield ApprovalEffect("ok", "It is at the public address of the system.", "At once.")


def _fingerprint(approval: Approval) -> Mapping[str, Any]:
    return {"sha256": system_record.assembled(systems.system(approval.target_id)).digest}


def _apply(approval: Approval) -> None:
    system = systems.system(approval.target_id)
    actions.publish(system, seen=system_record.assembled(system).digest)


def _blocked(approval: Approval) -> str | None:
    system = systems.system(approval.target_id)
    if system.is_retired:
        return f"{system.name} is retired, so its model card can't change any more."
    reasons = system_record.assembled(system).blockers
    return " ".join(each.lead for each in reasons) or None


MODEL_CARD = ApprovalKind(
    name=queries.APPROVAL,
    label="Model card",
    permission=permissions.PUBLISH,
    describe=_describe,
    fingerprint=_fingerprint,
    apply=_apply,
    blocked=_blocked,
    lock=actions.LOCK,
    step_up=False,  # No step-up: a card can be withdrawn, and the approver read all of it.
)
