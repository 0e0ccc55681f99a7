"""The kinds of approval that features add, and what the core asks a kind about one approval.

    ApprovalKind(name="erasure", permission=…, describe=…, fingerprint=…, apply=…, on_reject=…)
    register(kind)              once, where the application is put together
    fingerprint(approval)       of what is requested: an edit of the target changes it
    fingerprint_seen(approval)  of everything that the approver sees, what the target depends on
                                included
    describe(approval)          for its page; also when its kind or its target no longer exists

A kind's functions run inside the caller's transaction and get the Approval.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from governance.foundation.approvals.models import Approval
from governance.foundation.audit.registry import Action
from governance.kernel import formatting
from governance.kernel.data.db import Model
from governance.kernel.errors import NotFound
from governance.kernel.extension_points import ExtensionPoint
from governance.kernel.safety.access import Permission

DEFAULT_LIFETIME = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class ProposedChange:
    """One line of what an approval changes.

    `detail` is the machine's name of it, `note` a warning such as "loosens".
    """

    label: str
    before: str | None
    after: str | None
    detail: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalEffect:
    """One consequence. `kind` is ok, due, bad or open; `link` is (endpoint, values, text)."""

    kind: str
    lead: str
    text: str = ""
    link: tuple[str, Mapping[str, Any], str] | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """The content of the page of an approval.

    `title` reads after "asks to". `template` is a part of the feature's own, drawn with `details`.
    `back` is (label, endpoint, values) of where the target lives. `consequence` says what approving
    does, and how it is undone.
    """

    title: str
    heading: str = "What is requested"
    sub: str = ""
    changes: Sequence[ProposedChange] = ()
    facts: Sequence[tuple[str, Any]] = ()
    figures: Sequence[tuple[str, str]] = ()
    effects: Sequence[ApprovalEffect] = ()
    effects_sub: str = ""
    template: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    covers: str = "Covers what is requested and the request itself."
    back: tuple[str, str, Mapping[str, Any]] | None = None
    verb: str = "Approve"
    is_final: bool = False  # It can't be undone.
    consequence: str = ""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """The entry that the audit log gets for a step: the row, the person it is about, and facts.

    Undeclared facts are left out.
    """

    target: Model
    about: UUID | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def _nothing(_approval: Approval) -> None:
    return None


def _none(_approval: Approval) -> dict[str, Any]:
    return {}


def _a_member(_approval: Approval) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalKind:
    """One kind of approval.

    name, label           the value in rows, and what people read
    permission            who decides
    describe              what the approver sees
    fingerprint           the requested content, as JSON can hold it; raises NotFound when the
                          target is gone
    context               what else the approver sees: when it drifts, they look again, and the
                          request stays
    apply                 do what was requested, in the approver's transaction; its result goes to
                          `result_template`
    on_reject             the approval closes without being applied; `approval.state` says how
    blocked               why it can't be approved now, as a sentence; None where nothing is in the
                          way
    confirmation          a text that the approver has to type; empty for none
    entries, entry        the audit actions of requested, given, approved, rejected, withdrawn,
                          voided, expired, blocked, and
                          what they record. A step without an action is recorded as the approval's
                          own; with None, `apply` or
                          the feature records it
    needed, step_up, lifetime   defaults of a request
    lock                  the tenant's lock that the feature takes before it changes such targets
    requester             the name of a requester who is no member; empty where they are one
    own, own_subject      why its requester, or the person it is about, can't approve it
    """

    name: str
    label: str
    permission: Permission
    describe: Callable[[Approval], Description]
    fingerprint: Callable[[Approval], Mapping[str, Any]]
    apply: Callable[[Approval], object]
    on_reject: Callable[[Approval], object] = _nothing
    context: Callable[[Approval], Mapping[str, Any]] = _none
    blocked: Callable[[Approval], str | None] = _nothing
    confirmation: Callable[[Approval], str] = lambda _approval: ""
    entries: Mapping[str, Action | None] = field(default_factory=dict)
    entry: Callable[[Approval, str], LogEntry] = lambda approval, _step: LogEntry(approval)
    needed: int = 1
    step_up: bool = True
    lifetime: timedelta | None = DEFAULT_LIFETIME
    lock: str = ""
    requester: Callable[[Approval], str] = _a_member
    own: str = "You requested this yourself, so another person must decide."
    own_subject: str = "It is about you, so another person must decide."
    result_template: str = ""

    @property
    def lock_name(self) -> str:
        return self.lock or f"approvals of {self.name}"


APPROVAL_KINDS: ExtensionPoint[ApprovalKind] = ExtensionPoint(
    "approval kind", key=lambda kind: kind.name
)
_kinds: dict[str, ApprovalKind] = {}


def register(*kinds: ApprovalKind) -> None:
    """Make these kinds known; registering the same one again changes nothing."""
    for kind in kinds:
        if _kinds.setdefault(kind.name, kind) is not kind:
            raise ValueError(f"the approval kind {kind.name} is registered twice")


def named(name: str) -> ApprovalKind | None:
    """Return the kind, or None when no feature has it (any more)."""
    return _kinds.get(name)


def all_kinds() -> Sequence[ApprovalKind]:
    return tuple(_kinds.values())


def kinds_from_outside() -> list[str]:
    """Return the names of the kinds that someone requests who is no member."""
    return [each.name for each in all_kinds() if each.requester is not _a_member]


def fingerprint(approval: Approval) -> str:
    """Return the SHA-256 of what is requested, who requested it and why.

    Returns "" when the kind or the target is gone.
    """
    kind = named(approval.kind)
    if kind is None:
        return ""
    try:
        with formatting.as_tenant():  # The fingerprint is the same for every reader.
            content = kind.fingerprint(approval)
    except NotFound:
        return ""
    return _digest(
        [
            approval.kind,
            approval.target_id,
            approval.reason,
            approval.requesters,
            approval.needed,
            content,
        ]
    )


def fingerprint_seen(approval: Approval) -> str:
    """Return the SHA-256 of that and of everything else that the approver sees."""
    kind, requested = named(approval.kind), fingerprint(approval)
    if not kind or not requested:
        return ""
    with formatting.as_tenant():
        return _digest([requested, kind.context(approval)])


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def step_names(approval: Approval) -> set[str]:
    """Return the audit actions by which its kind records requests and decisions."""
    kind = named(approval.kind)
    return {action.name for action in kind.entries.values() if action} if kind else set()


def recorded_on(approval: Approval) -> UUID | None:
    """Return the row on which its kind records them; None when the kind or the target is gone."""
    kind = named(approval.kind)
    try:
        target: Any = kind.entry(approval, "requested").target if kind else None
    except NotFound:
        return None
    return target.id if target is not None else None


def mail_words(approval: Approval) -> str:
    """Return what is requested, for a mail.

    An erasure doesn't reach sent mail, so the person a request is about isn't named there.
    """
    return (
        f"for an approval ({label(approval)})" if subject_of(approval) else f"to {approval.summary}"
    )


def subject_of(approval: Approval) -> UUID | None:
    """Return the person it is about; None if there is none, or the kind or the target is gone."""
    kind = named(approval.kind)
    try:
        return kind.entry(approval, "requested").about if kind else None
    except NotFound:
        return None


def outside_requester(approval: Approval) -> str:
    """Return the name of a requester who is no member here; empty for everyone else."""
    kind = named(approval.kind)
    try:
        return kind.requester(approval) if kind else ""
    except NotFound:
        return ""


def label(approval: Approval) -> str:
    kind = named(approval.kind)
    return kind.label if kind else approval.kind.replace("_", " ").capitalize()


def describe(approval: Approval) -> Description:
    """Describe the approval for its page, or just the request if its kind or target is gone."""
    kind = named(approval.kind)
    try:
        return kind.describe(approval) if kind else Description(approval.summary)
    except NotFound:
        return Description(approval.summary)
