"""Actions of playbook steps, carried out with the permission of the person who runs them.

Each returns a short text about its effect. Without the permission, a person gets the same error as
on the page of that action, and the step stays open.
"""

from dataclasses import replace

from sqlalchemy import select

from governance.assurance.playbooks.steps import AUDIENCES, PlaybookStep
from governance.foundation.people.queries import members
from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.formatting import plural
from governance.kernel.safety import access
from governance.kernel.work import outbox
from governance.operations.policies import actions as policies
from governance.operations.policies import permissions as policy_permissions
from governance.operations.policies import queries as policy_queries
from governance.operations.switches import actions as switches
from governance.operations.switches import permissions as switch_permissions
from governance.operations.systems.models import AISystem, SystemFeature

LEADS = frozenset({"admin", "compliance_officer"})
MEMBERS = LEADS | {"contributor", "viewer"}  # Not auditors: their engagement limits access.


def carry_out(step: PlaybookStep, *, reason: str) -> str:
    """Carry out an action step, and return its effect.

    Raises Forbidden without the permission, and DomainError if the action isn't possible now.
    """
    match step.kind:
        case "stop":
            return _stop(step.target, reason)
        case "tighten":
            return _tighten(step.target, reason)
        case "notify":
            return _notify(step, reason)
    return ""


def target_choices() -> list[tuple[str, str]]:
    """List (value, label) of everything that a step can do in this tenant."""
    systems = session().scalars(
        select(AISystem).where(AISystem.retired_at.is_(None)).order_by(AISystem.key)
    )
    features: dict[object, list[str]] = {}
    for feature in session().scalars(
        select(SystemFeature).where(SystemFeature.retired_at.is_(None)).order_by(SystemFeature.key)
    ):
        features.setdefault(feature.system_id, []).append(feature.key)
    stops = [
        PlaybookStep("", kind="stop", target=f"{system.key}/{part}" if part else system.key)
        for system in systems
        for part in ("", *features.get(system.id, ()))
    ]
    tiers = [
        PlaybookStep("", kind="tighten", target=key)
        for key in policy_queries.current_policy().platform.tiers
    ]
    notices = [PlaybookStep("", kind="notify", target=key) for key in AUDIENCES]
    plain = [PlaybookStep("", kind="instruction"), PlaybookStep("", kind="link")]
    return [(step.choice, step.label) for step in (*plain, *stops, *tiers, *notices)]


def _stop(target: str, reason: str) -> str:
    access.require(switch_permissions.STOP)
    key, _, part = target.partition("/")
    system = session().scalars(select(AISystem).where(AISystem.key == key)).one_or_none()
    if system is None or system.is_retired:
        raise DomainError(f"{key} is no longer registered. Skip this step, and say why.")
    feature = None
    if part:
        query = select(SystemFeature).where(
            SystemFeature.system_id == system.id, SystemFeature.key == part
        )
        feature = session().scalars(query).one_or_none()
        if feature is None or feature.retired_at is not None:
            raise DomainError(f"{key} no longer has a feature {part}. Skip this step, and say why.")
    switches.stop("feature" if feature else "system", system, feature, reason=reason)
    return f"{part or key} stopped"


def _tighten(tier: str, reason: str) -> str:
    access.require(policy_permissions.DRAFT)
    now = policy_queries.current_policy()
    if tier not in now.platform.tiers:
        raise DomainError("This tier no longer exists. Skip this step, and say why.")
    name = now.platform.tiers[tier].name
    if now.content.tier == tier:
        return f"policy already {name}"
    version = policies.tighten_now(replace(now.content, tier=tier), base=now.number, reason=reason)
    return f"policy version {version.number}: {name}"


def _notify(step: PlaybookStep, reason: str) -> str:
    if step.target not in AUDIENCES:
        raise Invalid("Choose who is notified.")
    told = [m for m in members() if m.role in (LEADS if step.target == "leads" else MEMBERS)]
    for member in told:
        outbox.send_mail(
            member.email,
            f"{current.actor().tenant_name}: {step.title}",
            f"{step.detail or step.title}\n\n{reason}\n\n"
            f"{current.actor().name} sent this from a playbook in Meridian.\n",
        )
    return f"{plural(len(told), 'person', 'people')} notified"
