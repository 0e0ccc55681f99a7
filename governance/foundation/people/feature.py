"""People: members, invitations, sessions, and signing in."""

from governance.foundation.audit.registry import actions_in
from governance.foundation.people import (
    admission_actions,
    collectors,
    glossary,
    invitation_actions,
    jobs,
    member_actions,
    models,
    palette,
    permissions,
    session_actions,
    session_views,
    sign_in_callback,
    sign_in_views,
    sign_out_views,
    step_up,
    theme_views,
    views,
)
from governance.foundation.people.events import AdminAdded, OwnerAssigned
from governance.foundation.populations.collector import COLLECTORS
from governance.foundation.tenants.events import SuspensionBegan
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import (
    Command,
    Daily,
    EntryLink,
    Manifest,
    NavItem,
    PortAnswer,
    Subscription,
)
from governance.kernel.web.identity import identity

# Each adds its pages to the routes of sign-in.
SIGN_IN_PAGES = (sign_in_callback, sign_out_views, theme_views)

manifest = Manifest(
    name="people",
    models=(models,),
    routes=(sign_in_views.feature, views.feature, session_views.feature, step_up.feature),
    navigation=(
        NavItem(
            label="Settings",
            icon="settings",
            endpoint="people.members",
            permission=permissions.MEMBERS,
            order=90,
            group="settings",
            audience="operator",
        ),
    ),
    under=("tenant_settings.settings",),
    schedule=(Daily("delete old sign-ins", jobs.sweep_sign_ins, at="02:17"),),
    palette=(
        Command(
            "Invite a member", "people.members", permissions.MANAGE, also="add person user team"
        ),
        Command("View members", "people.members", permissions.MEMBERS, also="people users team"),
        Command("View your sessions", "sessions.own_sessions", permissions.OWN, also="sign out"),
        Command("Switch tenant", "sessions.switcher", permissions.OWN),
    ),
    search=(palette.members,),
    extensions=(GLOSSARY(*glossary.TERMS), COLLECTORS(collectors.Members(), collectors.Leavers())),
    audit=actions_in(session_actions, admission_actions, member_actions, invitation_actions),
    links={
        "Membership": EntryLink(endpoint="people.members"),
        "Invitation": EntryLink(endpoint="people.members"),
        "Person": EntryLink(endpoint="people.members"),
        "Connection": EntryLink(
            endpoint="identity_providers.index", noun="the sign-in connection", single=True
        ),
        "Session": EntryLink(no_page="sessions are listed with their member"),
    },
    subscribes=(Subscription(SuspensionBegan, session_actions.end_sessions_of_suspended),),
    publishes=(AdminAdded, OwnerAssigned),
    answers=(
        PortAnswer(identity.note_session_use, session_views.seen),
        PortAnswer(identity.resubmit, step_up.resubmit),
    ),
)
