"""Permissions on evidence: owners upload, another person reviews, two people delete."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, func, or_, select

from governance.assurance.evidence.models import EvidenceVersion
from governance.foundation.api_keys.models import ApiKey
from governance.foundation.people.models import Person
from governance.foundation.people.own_accounts import has_address_of, own_accounts
from governance.kernel.current import Actor
from governance.kernel.safety.access import permission, scope
from governance.kernel.safety.conditions import Whoever, condition, is_owner


@condition("they uploaded it", "You uploaded this version, so another person must review it.")
def is_uploader(who: Actor, version: Any) -> Any:
    return who.person_id is not None and version.uploaded_by == who.person_id


def _knows_key(who: Actor | Whoever, _model: Any) -> ColumnElement[bool]:
    shown = select(ApiKey.id).where(
        ApiKey.id == EvidenceVersion.key_id,
        ApiKey.hands.contains(func.jsonb_build_array(cast(who.person_id, Text))),
    )
    return shown.exists()


@condition(
    "they were shown the secret of the key that uploaded it",
    "API key {object.key_name} uploaded it. You have seen the secret of that key, so another"
    " person must review it.",
    sql=_knows_key,
)
def knows_its_key(who: Actor, version: Any) -> bool:
    """Check whether they saw the secret of the API key, since they can upload with it."""
    return str(who.person_id) in version.key_hands


def _has_address_of_uploader(who: Actor | Whoever, _model: Any) -> ColumnElement[bool]:
    v, uploaders = EvidenceVersion, select(Person.id).where(has_address_of(who))
    by_key = select(ApiKey.id).join(Person, ApiKey.hands.has_key(cast(Person.id, Text)))
    return or_(
        v.uploaded_by.in_(uploaders),
        by_key.where(ApiKey.id == v.key_id, has_address_of(who)).exists(),
    )


@condition(
    "they have the same email address as the person who uploaded it",
    "You have the same email address as the person who uploaded it, so another person must review"
    " it.",
    sql=_has_address_of_uploader,
)
def has_address_of_uploader(who: Actor, version: Any) -> bool:
    return not own_accounts(who).isdisjoint({version.uploaded_by, *map(UUID, version.key_hands)})


EVIDENCE_WRITE = scope("evidence:write", "upload versions of evidence")

VIEW = permission(
    "evidence.view", "view evidence", roles="admin compliance_officer contributor auditor viewer"
)
MANAGE = permission(
    "evidence.manage",
    "create, assign, link or retire evidence items",
    roles="admin compliance_officer",
)
UPLOAD = permission(
    "evidence.upload",
    "upload versions of evidence",
    roles="admin compliance_officer contributor",
    only={"contributor": [is_owner]},
)
REVIEW = permission(
    "evidence.review",
    "review evidence",
    roles="admin compliance_officer",
    unless=[is_uploader, knows_its_key, has_address_of_uploader],
)
KEEP = permission(
    "evidence.keep",
    "place legal holds on evidence and set retention periods",
    roles="admin compliance_officer",
)
DELETE = permission(
    "evidence.delete",
    "request or approve the permanent deletion of evidence files",
    roles="admin compliance_officer",
)
PUSH = permission("evidence.push", "upload versions of evidence", scopes=EVIDENCE_WRITE)
