"""The rules for joining by an invitation, and the error that a person without access sees.

The error says which claim decided, and what to set. All of it is about the person's own identity.
Whether somebody is invited is shown only to a person who has proven the address.
"""

from governance.foundation.people import queries
from governance.foundation.people.models import Connection, Invitation
from governance.foundation.people.oidc_types import Identity, SignInRefused
from governance.foundation.tenants import queries as tenants
from governance.kernel import current, formatting
from governance.kernel.data.db import session

MAX_GROUPS_SHOWN = 5
SWITCH = "“This provider verifies email addresses”"


class NoMembership(SignInRefused):
    """The provider vouches for the person, who has no access to the tenant."""


def is_address_proven(identity: Identity, connection: Connection) -> bool:
    """Return whether the address is proven to be the person's own.

    The provider says so, or verifies every address in the tenant's domains. An explicit
    `email_verified: false` never counts.
    """
    if not identity.email or identity.email_verified is False:
        return False
    return identity.email_verified is True or (
        connection.verifies_addresses and _is_in_work_domain(identity.email)
    )


def _is_in_work_domain(email: str) -> bool:
    return email.rpartition("@")[2] in tenants.domains_of(current.actor().tenant_id)


def must_use_provider(email: str) -> bool:
    """Return whether the person at this address must use single sign-on.

    Everyone in the tenant's work domains must if the live connection says so.
    """
    live = queries.connection()
    return live is not None and live.enforced and _is_in_work_domain(email.strip().lower())


def no_access(identity: Identity, connection: Connection, *, was_member: bool) -> NoMembership:
    """Return why neither an invitation nor a group gives access, as an error to raise."""
    problems = [_invitation_problem(identity, connection)]
    if was_member:  # Groups never readmit a former member.
        problems.insert(
            0,
            NoMembership(f"Your access to {_here()} has ended.", reason="the membership has ended"),
        )
    elif connection.group_roles:
        problems.append(_group_problem(identity))
    return NoMembership(
        " ".join(each.message for each in problems),
        remedy=" ".join(filter(None, (each.remedy for each in problems))),
        reason="; ".join(each.reason for each in problems),
    )


def group_lost(identity: Identity) -> NoMembership:
    """Return why a membership that groups gave is of no use at this sign-in, as an error."""
    found = _group_problem(identity)
    return NoMembership(
        found.message,
        remedy=f"Your access follows your groups. {found.remedy}".strip(),
        reason=found.reason,
    )


def deactivated() -> NoMembership:
    """Return why a deactivated user of the directory isn't signed in, as an error to raise."""
    return NoMembership(
        f"Your company's directory has deactivated your account at {_here()}.",
        remedy="Ask the person who manages your company's directory to activate it again.",
        reason="deactivated by the directory",
    )


def suspended_for_all_but_admins() -> NoMembership:
    """Return why nobody but an admin is signed in while the operator has suspended the tenant."""
    return NoMembership(
        f"{_here()} is suspended by the operator of Meridian. Until then only its admins can sign"
        " in, to download an export.",
        remedy="Ask one of your admins, or the operator.",
        reason="the tenant is suspended, and this is no admin of it",
    )


def entry_taken(identity: Identity) -> NoMembership:
    """Return the error that another account has signed in as the directory's user."""
    return NoMembership(
        f"Another account already signs in to {_here()} as {identity.email}.",
        remedy=(
            "Sign in with that account. If it is no longer yours, ask an admin to remove that"
            " member, and the person who manages the directory to provision you again."
        ),
        reason="the directory's user belongs to another account",
    )


def directory_groups_lost() -> NoMembership:
    """Return why a membership that the directory's groups gave is of no use at this sign-in."""
    return NoMembership(
        f"None of your groups in the company's directory gives access to {_here()}.",
        remedy="Ask an admin which group you need.",
        reason="no directory group with a role",
    )


def _invitation_problem(identity: Identity, connection: Connection) -> NoMembership:
    email = identity.email
    if not email:
        return NoMembership(
            f"The identity provider of {_here()} sent no email claim, so Meridian can't match an"
            " invitation.",
            remedy=(
                "At the provider, release the claims email and email_verified to Meridian (scope"
                " email), in the ID token or in userinfo. Then sign in again."
            ),
            reason="no email claim",
        )
    if identity.email_verified is False:
        return NoMembership(
            f"The identity provider of {_here()} sent an email_verified claim for {email} that"
            " isn't true, so Meridian can't match an invitation.",
            remedy=(
                "Verify the address at the provider, and send the claim as true or false. Then sign"
                " in again."
            ),
            reason="email_verified isn't true",
        )
    if not is_address_proven(identity, connection):
        return _unproven(email)
    return _not_invited(email)


def _unproven(email: str) -> NoMembership:
    sent = f"The identity provider of {_here()} sent no email_verified claim for {email}"
    mapping = "map the claim email_verified at the provider. Then sign in again."
    if not _is_in_work_domain(email):
        return NoMembership(
            f"{sent}, and the address is outside the work domains of {_here()}, so Meridian can't"
            " match an invitation.",
            remedy=f"Sign in with an address in a work domain, or {mapping}",
            reason="no email_verified claim, and the address is outside the work domains",
        )
    who, where = (
        ("an admin", "under Settings, Sign-in")
        if queries.has_signed_in()
        else ("the operator", "on the first admin's page")
    )
    return NoMembership(
        f"{sent}, so Meridian can't match an invitation.",
        remedy=(
            f"If your company runs this provider, {who} can turn on {SWITCH} {where}. Otherwise,"
            f" {mapping}"
        ),
        reason="no email_verified claim",
    )


def _not_invited(email: str) -> NoMembership:
    expired: Invitation | None = session().scalars(queries.invitations_to(email)).one_or_none()
    who = "an admin" if queries.has_signed_in() else "the operator"
    if expired is not None:
        return NoMembership(
            f"The invitation to {email} expired {formatting.ago(expired.expires_at)}.",
            remedy=f"Ask {who} of {_here()} to send a new one.",
            reason="the invitation has expired",
        )
    return NoMembership(
        f"{_here()} has no open invitation for {email}.",
        remedy=f"Ask {who} of {_here()} to invite this address.",
        reason="no open invitation",
    )


def _group_problem(identity: Identity) -> NoMembership:
    if identity.groups is None:
        return NoMembership(
            f"The identity provider sent no groups claim, and {_here()} gives access by groups.",
            remedy="At the provider, release the claim groups to Meridian, as a list.",
            reason="no groups claim",
        )
    if not identity.groups:
        return NoMembership(
            f"The identity provider reports no groups for you, and {_here()} gives access by"
            " groups.",
            remedy="Ask an admin which group you need.",
            reason="no groups",
        )
    shown = ", ".join(identity.groups[:MAX_GROUPS_SHOWN])
    more = len(identity.groups) - MAX_GROUPS_SHOWN
    return NoMembership(
        f"None of your groups gives access to {_here()}. The identity provider sent: {shown}"
        + (f" and {more} more." if more > 0 else "."),
        remedy="Ask an admin which group you need.",
        reason="no group with a role",
    )


def _here() -> str:
    return current.actor().tenant_name
