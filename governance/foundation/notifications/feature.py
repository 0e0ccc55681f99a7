"""Notifications: what happened and concerns one person, in the app, by mail, or in a digest."""

from governance.foundation.approvals.events import RequestClosed
from governance.foundation.audit.registry import actions_in
from governance.foundation.comments.events import CommentWritten
from governance.foundation.notifications import digests, glossary, jobs, models, subscribers, views
from governance.foundation.people import permissions
from governance.foundation.people.events import AdminAdded, OwnerAssigned
from governance.foundation.privacy.events import PersonErased
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, Daily, Hourly, Manifest, Subscription

manifest = Manifest(
    name="notifications",
    extensions=(GLOSSARY(*glossary.TERMS),),
    models=(models,),
    routes=(views.feature, views.public),
    schedule=(
        Hourly("send digests", jobs.send_digests, minute=1),
        Daily("delete old notifications", jobs.delete_old, at="02:41"),
    ),
    palette=(Command("Open notifications", "notifications.index", permissions.OWN),),
    audit=actions_in(digests),
    subscribes=(
        Subscription(CommentWritten, subscribers.on_comment),
        Subscription(OwnerAssigned, subscribers.on_assignment),
        Subscription(AdminAdded, subscribers.on_admin_added),
        Subscription(RequestClosed, subscribers.on_decision),
        Subscription(PersonErased, subscribers.delete_notifications_of, order=40),
    ),
)
