"""The inbox item for an uploaded certificate that ends soon: later downloads are not sealed."""

from typing import Any

from sqlalchemy import Interval, Select, literal

from governance.foundation.people.own_entries import own_items
from governance.kernel.work.inbox import NOW, InboxDone, InboxSource, item_select
from governance.publishing.reports.seals import actions, permissions
from governance.publishing.reports.seals.certificates import RENEW_BEFORE
from governance.publishing.reports.seals.models import UPLOADED, SealCertificate


def _ending() -> Select[Any]:
    """Select an uploaded certificate that ends soon. Meridian renews those that it issued."""
    s = SealCertificate
    soon = s.not_after - literal(RENEW_BEFORE, Interval())
    query = item_select(s, about=s.subject, since=soon, due=s.not_after)
    return query.where(s.retired_at.is_(None), s.source == UPLOADED, soon <= NOW)


def _replaced() -> Select[Any]:
    return own_items(SealCertificate, actions.CERTIFICATE_ADDED, about=SealCertificate.subject)


SOURCES = (
    InboxSource(
        name="report-certificate",
        group="reviews",
        needs=permissions.MANAGE,
        select=_ending,
        icon="file-certificate",
        verb="Replace",
        title=lambda row: f"Replace the report certificate {row.about}",
        detail=lambda _row: "Once it has expired, downloads of reports aren't sealed",
        why="you choose how reports are sealed",
        endpoint="report_seals.index",
        values=lambda _row: {},
        done=(
            InboxDone(
                name="report-certificates-added",
                icon="file-certificate",
                select=_replaced,
                endpoint="report_seals.index",
                values=lambda _row: {},
            ),
        ),
    ),
)
