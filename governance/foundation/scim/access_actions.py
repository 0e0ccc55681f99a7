"""Effects of the directory's changes: whose access ends immediately, and whose role follows.

    end_access(user)         deactivated or deleted: sessions end in this transaction
    follow_groups(ids)       members that the directory added follow its groups

A role comes from the group mapping of the sign-in connection alone, which two people approve, and a
membership that an admin gave keeps its role. The last admin of a tenant keeps access. API keys
belong to machines and stay: the inbox of those who manage them lists the ones whose secret the
person has seen, to be rotated within 7 days.
"""

from collections.abc import Collection
from uuid import UUID

from governance.foundation.people import admission_actions, invitation_actions, member_actions
from governance.foundation.people import queries as people
from governance.foundation.people.admission_actions import BY_DIRECTORY
from governance.foundation.people.member_actions import LastAdmin
from governance.foundation.people.models import Membership
from governance.foundation.scim import queries
from governance.foundation.scim.models import DirectoryUser
from governance.kernel.data.db import session
from governance.kernel.safety.access import ROLE_NAMES


def end_access(found: DirectoryUser) -> int:
    """End the person's membership and sessions, and withdraw their invitations.

    Returns how many memberships that were. Raises LastAdmin.
    """
    ending = queries.memberships_of(found)
    for each in ending:
        _end(each)
        if each.id == found.membership_id:
            found.access_ended_at = each.ended_at
    for address in found.addresses:
        for invitation in session().scalars(people.invitations_to(address)).all():
            invitation_actions.withdraw_invitation(
                invitation, how="the directory deactivated the account"
            )
    return len(ending)


def follow_groups(user_ids: Collection[UUID]) -> None:
    """Give these users' memberships the roles of their groups; without one, access ends."""
    following = queries.memberships_that_follow(user_ids, BY_DIRECTORY)
    if not following:
        return
    owners = {each.membership_id: each for each in queries.users(user_ids)}
    roles = queries.roles_by_groups(user_ids, people.connection())
    for each in following:
        role = roles[owners[each.id].id]
        if role is None:
            _end(each)
            owners[each.id].access_ended_at = each.ended_at
        elif role != each.role:
            _check_not_last_admin(each)
            admission_actions.follow_groups(each, role, via=BY_DIRECTORY)


def _end(membership: Membership) -> None:
    _check_not_last_admin(membership)
    member_actions.remove_member(membership)


def _check_not_last_admin(membership: Membership) -> None:
    """Raise LastAdmin with a sentence that names nobody, for the directory and its log of calls."""
    try:
        member_actions.check_not_last_admin(membership)
    except LastAdmin:
        raise LastAdmin(
            f"The only {ROLE_NAMES[membership.role].lower()} must keep access. Give another member"
            " that role in Meridian, then send this again."
        ) from None
