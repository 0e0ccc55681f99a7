"""Change the acting person's own profile."""

from dataclasses import asdict

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import queries
from governance.foundation.people.models import Membership
from governance.foundation.people.preferences import Preferences
from governance.kernel import current
from governance.kernel.errors import NotFound

CHANGED = action(
    "profile.changed",
    "changed their profile",
    target="Membership",
    activity="update",
    severity="informational",
    fields="changed",
)


def own_membership() -> Membership:
    found = queries.membership_of(current.person_id())
    if found is None:
        raise NotFound("You aren't a member of this tenant any more.")
    return found


def change_profile(membership: Membership, wanted: Preferences) -> list[str]:
    """Store these choices. The log names the changed fields, not the choices.

    Returns the names of the changed fields; if there are none, nothing changes.
    """
    before, after = asdict(Preferences.of(membership.preferences)), asdict(wanted)
    changed = sorted(name for name in after if after[name] != before[name])
    if changed:
        membership.preferences = wanted.stored()
        record(CHANGED, membership, changed=changed)
    return changed
