"""Add data sets, describe and publish their versions, and record which AI systems use them.

add, edit, retire              a data set; a retired one blocks the systems that still use it
assign, assign_all             its owner, which can be undone
save_draft, discard_draft      the next version, until it is published
publish                        the draft as the next version, which never changes
add_use, end_use               its uses by AI systems
import_croissant               a file as the draft of a new data set or of one that exists
"""

import hashlib
import json
import re
from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.events import OwnerAssigned
from governance.foundation.people.owners import check_may_own
from governance.foundation.people.queries import last_actor
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.formatting import long_day
from governance.kernel.pages import undo
from governance.kernel.pages.undo import Overtaken, UndoStep
from governance.kernel.work.events import publish as publish_event
from governance.operations.datasets import licences, queries
from governance.operations.datasets.content import (
    MAX_TEXT_LENGTH,
    VersionContent,
    check,
    differences,
    from_plain,
    missing,
)
from governance.operations.datasets.croissant import CroissantDataSet
from governance.operations.datasets.models import PURPOSES, DataSet, DataSetUse, DataSetVersion
from governance.operations.systems import actions as registering
from governance.operations.systems import queries as systems

ADDED = action(
    "data_set.added",
    "added a data set",
    target="DataSet",
    activity="create",
    severity="informational",
    fields="key name",
    persons="owner",
)
EDITED = action(
    "data_set.edited",
    "edited a data set",
    target="DataSet",
    activity="update",
    severity="informational",
    fields="key name description",
    persons="owner",
)
ASSIGNED = action(
    "data_set.assigned",
    "assigned a data set",
    target="DataSet",
    activity="update",
    severity="informational",
    fields="key undoes",
    persons="owner",
)
DRAFTED = action(
    "data_set.version.drafted",
    "described the next version of a data set",
    target="DataSet",
    activity="update",
    severity="informational",
    fields="key version changed sha256",
)
DISCARDED = action(
    "data_set.draft.discarded",
    "discarded the draft of a data set",
    target="DataSet",
    activity="delete",
    severity="informational",
    fields="key version",
)
PUBLISHED = action(
    "data_set.version.published",
    "published a version of a data set",
    target="DataSet",
    activity="update",
    severity="low",
    fields="key version licence consent_until newest_record max_age_days sha256",
    shape="ok",
)
USE_ADDED = action(
    "data_set.use.added",
    "named an AI system that uses a data set",
    target="DataSet",
    activity="update",
    severity="informational",
    fields="key system purpose",
)
USE_ENDED = action(
    "data_set.use.ended",
    "ended a use of a data set by an AI system",
    target="DataSet",
    activity="update",
    severity="informational",
    fields="key system purpose",
)
RETIRED = action(
    "data_set.retired",
    "retired a data set",
    target="DataSet",
    activity="delete",
    severity="low",
    fields="key name systems",
    shape="stop",
)
SLUG = re.compile(r"(?![0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\Z)[a-z][a-z0-9-]{1,60}\Z")
SLUG_NEEDED = "A slug is 2 to 61 lowercase letters, digits and hyphens, such as claims-2025."
MAX_NAME_LENGTH = 120
MAX_USES = 200  # Maximum uses per data set


class DataSetSlugTaken(DomainError):
    """Another data set of the tenant has the slug."""


class DataSetRetired(DomainError):
    """The data set is retired, so nothing about it can change."""


# ---- the data set


def add(*, key: str, name: str, description: str, owner_id: UUID | None) -> DataSet:
    """Add a data set without a version. `key` is its slug, which never changes."""
    if not SLUG.match(key):
        raise Invalid(SLUG_NEEDED, field="key")
    name, description = _check_texts(name, description)
    check_may_own(owner_id)
    taken = session().scalars(select(DataSet).where(DataSet.key == key)).one_or_none()
    if taken is not None:
        raise DataSetSlugTaken(
            f"{taken.name} already has the slug {key}. Choose another.", field="key"
        )
    data_set = DataSet(
        key=key,
        name=name,
        description=description,
        owner_id=owner_id,
        version=0,
        draft=None,
        draft_revision=0,
        retired_at=None,
        created_at=clock.now(),
    )
    session().add(data_set)
    session().flush()
    record(ADDED, data_set, about=owner_id, key=key, name=name, owner=owner_id)
    return data_set


def revision(data_set: DataSet) -> str:
    """Return the digest of what an edit can change; forms carry it."""
    held = [data_set.name, data_set.description, str(data_set.owner_id)]
    return hashlib.sha256(json.dumps(held).encode()).hexdigest()[:16]


def edit(
    data_set: DataSet, *, seen: str, name: str, description: str, owner_id: UUID | None
) -> None:
    """Change the name, description or owner. Raises Stale after a concurrent edit.

    The caller has locked the data set.
    """
    check_live(data_set)
    name, description = _check_texts(name, description)
    before = {
        "name": data_set.name,
        "description": data_set.description,
        "owner": data_set.owner_id,
    }
    after = {"name": name, "description": description, "owner": owner_id}
    if after == before:
        return
    if seen != revision(data_set):
        changed = {n: (after[n], before[n]) for n in ("name", "description")}
        raise Stale(
            f"Someone else changed {data_set.name} while you were editing. Review it, then save"
            " again.",
            {n: pair for n, pair in changed.items() if pair[0] != pair[1]},
        )
    if owner_id != data_set.owner_id:
        check_may_own(owner_id)
    data_set.name, data_set.description, data_set.owner_id = name, description, owner_id
    record(EDITED, data_set, about=owner_id, before=before, after=after, key=data_set.key)


def assign(data_set: DataSet, owner_id: UUID | None, *, undoes: UUID | None = None) -> None:
    """Assign an owner, or remove the owner with None. The same owner again changes nothing.

    `undoes` is the id of the audit entry that this reverts.
    """
    check_live(data_set)
    if data_set.owner_id == owner_id:
        return
    check_may_own(owner_id)
    before, after = {"owner": data_set.owner_id}, {"owner": owner_id}
    data_set.owner_id = owner_id
    entry = record(ASSIGNED, data_set, before=before, after=after, key=data_set.key, undoes=undoes)
    undo.remember("data_set.owner", data_set.id, entry.id, before=before, after=after)
    if owner_id is not None:
        path = f"data-sets/{data_set.id}"
        publish_event(OwnerAssigned(owner_id, data_set.name, path, entry.id))


def assign_all(ids: Collection[UUID], owner_id: UUID | None) -> None:
    """Assign several data sets, all or none."""
    for data_set in queries.find_data_sets(ids, lock=True):
        assign(data_set, owner_id)  # record() runs in there.


UNDOABLE = {"data_set.owner"}


@undo.restores("data_set.owner")
def _restore_owner(step: UndoStep) -> None:
    data_set = queries.data_set(step.target_id, lock=True)
    if undo.plain(data_set.owner_id) != step.after["owner"]:
        who = last_actor(data_set.id, ASSIGNED, EDITED)
        raise Overtaken(f"{data_set.name} was reassigned by {who}.")
    assign(data_set, undo.id_or_none(step.before["owner"]), undoes=step.entry_id)


def retire(data_set: DataSet, *, reason: str) -> None:
    """Retire a data set. Its versions stay; the systems that still use it are blocked."""
    check_live(data_set)
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in the audit log.", field="reason")
    data_set.retired_at = clock.now()
    record(
        RETIRED,
        data_set,
        reason=reason.strip(),
        key=data_set.key,
        name=data_set.name,
        systems=len({each.use.system_id for each in queries.uses(data_set.id)}),
    )


# ---- versions


def draft_of(data_set: DataSet) -> VersionContent:
    """Return the content of the next version so far: the draft, or the published version."""
    if data_set.draft:
        return from_plain(data_set.draft)
    published = queries.published_version(data_set)
    return VersionContent.of(published) if published is not None else VersionContent()


def save_draft(data_set: DataSet, content: VersionContent, *, seen: int) -> bool:
    """Save the next version's content. Return True if anything changed.

    The caller has locked the data set. Raises Stale unless `seen` is its draft's revision, and
    Invalid, naming a field, for impossible values. The content may be incomplete.
    """
    check_live(data_set)
    content = _with_licence(content)
    check(content, clock.today())
    before = draft_of(data_set)
    if data_set.draft and content == before:
        return False
    if seen != data_set.draft_revision:
        raise Stale(
            f"Someone else changed version {data_set.version + 1} of {data_set.name} while you"
            " were editing. Review it, then save again.",
            {
                name: (mine, theirs)
                for name, mine in content.plain().items()
                if mine != (theirs := before.plain()[name])
            },
        )
    data_set.draft = content.plain()
    data_set.draft_revision += 1
    record(
        DRAFTED,
        data_set,
        key=data_set.key,
        version=data_set.version + 1,
        changed=[label for label, _, _ in differences(before, content)],
        sha256=content.file_sha256 or None,
    )
    return True


def _with_licence(content: VersionContent) -> VersionContent:
    if not content.licence:
        return content
    known = licences.spdx(content.licence)
    if known is None:
        raise Invalid(
            "This isn't an SPDX identifier such as CC-BY-4.0. For any other licence, enter its"
            " text as your own licence.",
            field="licence",
        )
    return replace(content, licence=known)


def _values(content: VersionContent) -> dict[str, object]:
    return {name: getattr(content, name) for name in content.__dataclass_fields__}


def discard_draft(data_set: DataSet) -> None:
    """Delete the draft. The published version stays."""
    check_live(data_set)
    if not data_set.draft:
        return
    data_set.draft = None
    data_set.draft_revision += 1
    record(DISCARDED, data_set, key=data_set.key, version=data_set.version + 1)


def publish(data_set: DataSet, *, seen: int, change_note: str = "") -> DataSetVersion:
    """Publish the draft as the next version.

    The caller has locked the data set. Raises Stale when the draft changed since it was seen, and
    Invalid, naming the first field, while something is missing.
    """
    check_live(data_set)
    if not data_set.draft or seen != data_set.draft_revision:
        raise Stale(
            f"The draft of {data_set.name} changed or was published since you opened it. Review"
            " it, then publish.",
        )
    content = from_plain(data_set.draft)
    check(content, clock.today())
    for field, sentence in missing(content).items():
        raise Invalid(sentence, field=field)
    if data_set.version and not change_note.strip():
        raise Invalid("Enter what changed, for the teams that use it.", field="change_note")
    version = DataSetVersion(
        data_set_id=data_set.id,
        number=data_set.version + 1,
        change_note=change_note.strip()[:MAX_TEXT_LENGTH],
        published_by=current.actor().person_id,
        created_at=clock.now(),
        **_values(content),
    )
    session().add(version)
    data_set.version, data_set.draft = version.number, None
    data_set.draft_revision += 1
    session().flush()
    record(
        PUBLISHED,
        data_set,
        reason=version.change_note or None,
        key=data_set.key,
        version=version.number,
        licence=version.licence or "own licence",
        consent_until=version.consent_until,
        newest_record=version.newest_record,
        max_age_days=version.max_age_days,
        sha256=version.file_sha256 or None,
    )
    for system_id in {each.use.system_id for each in queries.uses(data_set.id)}:
        _tell_register(data_set, system_id)
    return version


def import_croissant(
    found: CroissantDataSet,
    *,
    into: DataSet | None,
    key: str,
    owner_id: UUID | None,
) -> DataSet:
    """Save a file's content as a draft of the data set `into`, or of a new one named `key`.

    Fields that the file lacks stay as they were. Importing the same file again changes nothing.
    """
    data_set = into
    if data_set is None:
        data_set = add(key=key, name=found.name, description=found.description, owner_id=owner_id)
    before = _values(draft_of(data_set))
    told = {
        name: value for name, value in _values(found.content).items() if value not in ("", None)
    }
    if {"licence", "licence_text"} & told.keys():
        before |= {"licence": "", "licence_text": ""}
    content = VersionContent(**{**before, **told})  # type: ignore[arg-type]
    save_draft(data_set, content, seen=data_set.draft_revision)
    return data_set


# ---- uses


def add_use(data_set: DataSet, *, system_id: UUID, purpose: str) -> DataSetUse:
    """Record that an AI system uses the data set for a purpose. Idempotent.

    The caller has locked the data set.
    """
    check_live(data_set)
    if purpose not in PURPOSES:
        raise Invalid("Choose what the system uses it for.", field="purpose")
    system = next((each for each in systems.live_systems() if each.id == system_id), None)
    if system is None:
        raise Invalid("Choose an AI system of the register.", field="system_id")
    every = queries.every_use(data_set.id)
    use = next((u for u in every if (u.system_id, u.purpose) == (system_id, purpose)), None)
    if use is not None and use.ended_at is None:
        return use
    if len(every) >= MAX_USES:
        raise Invalid(f"{data_set.name} has {MAX_USES} uses already.", field="system_id")
    if use is None:
        use = DataSetUse(
            data_set_id=data_set.id,
            system_id=system_id,
            purpose=purpose,
            ended_at=None,
            created_at=clock.now(),
        )
        session().add(use)
    use.ended_at = None
    session().flush()
    record(USE_ADDED, data_set, key=data_set.key, system=system.key, purpose=purpose)
    _tell_register(data_set, system_id)
    return use


def end_use(data_set: DataSet, use: DataSetUse) -> None:
    """Record that the system no longer uses the data set. A retired data set's use can end too."""
    if use.ended_at is not None:
        return
    use.ended_at = clock.now()
    system = systems.system(use.system_id)
    session().flush()
    record(USE_ENDED, data_set, key=data_set.key, system=system.key, purpose=use.purpose)
    _tell_register(data_set, system.id)


def _tell_register(data_set: DataSet, system_id: UUID) -> None:
    """Write "claims-2025 3" among the data sets of the system's own record, or remove it there.

    Another version or another data set is a substantial change of the system, except for data that
    only its evaluations use. Entries about other data sets stay.
    """
    system = systems.system(system_id, lock=True)
    if system.is_retired:
        return
    is_used = any(
        each.use.system_id == system_id and each.use.purpose != "evaluation"
        for each in queries.uses(data_set.id)
    )
    mine = f"{data_set.key} {data_set.version}" if data_set.version else data_set.key
    others = [each for each in system.data_sets if each.split()[0] != data_set.key]
    names = [*others, mine] if is_used else others
    reason = f"Data set {mine} {'is used' if is_used else 'is no longer used'}"
    registering.set_data_sets(system, sorted(names), reason=reason)


# ---- rules that several share


def check_live(data_set: DataSet) -> None:
    if (reason := why_not(data_set)) is not None:
        raise DataSetRetired(reason)


def why_not(data_set: DataSet) -> str | None:
    """Return the reason why the data set can't be changed, or None if it can."""
    if data_set.retired_at is None:
        return None
    return f"{data_set.name} was retired on {long_day(data_set.retired_at)}."


def _check_texts(name: str, description: str) -> tuple[str, str]:
    name, description = " ".join(name.split()), description.strip()
    if not name or len(name) > MAX_NAME_LENGTH:
        raise Invalid(f"Enter a name of up to {MAX_NAME_LENGTH} characters.", field="name")
    if not description or len(description) > MAX_TEXT_LENGTH:
        raise Invalid("Describe what the data set holds.", field="description")
    return name, description
