"""Add, edit and remove Prometheus sources, and define how an indicator reads one.

No request is sent here: prometheus_pulling.py does that, outside of any transaction.
"""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import Invalid
from governance.kernel.intervals import whole_minute
from governance.kernel.safety import key_encryption, outbound_http
from governance.kernel.work import jobs
from governance.operations.measurements import prometheus_queries as queries
from governance.operations.measurements import prometheus_selector as selectors
from governance.operations.measurements.actions import MAX_BACKFILL_AGE
from governance.operations.measurements.models import Indicator
from governance.operations.measurements.prometheus_client import PrometheusAddress
from governance.operations.measurements.prometheus_models import (
    QUERY_KINDS,
    PrometheusQuery,
    PrometheusSource,
)
from governance.operations.measurements.prometheus_schedule import ready_until

SOURCE_ADDED = action(
    "prometheus.source.added",
    "added a Prometheus source",
    target="PrometheusSource",
    activity="create",
    severity="medium",
    fields="name host header",
)
SOURCE_EDITED = action(
    "prometheus.source.edited",
    "edited a Prometheus source",
    target="PrometheusSource",
    activity="update",
    severity="medium",
    fields="name host header secret_changed",
)
SOURCE_REMOVED = action(
    "prometheus.source.removed",
    "removed a Prometheus source",
    target="PrometheusSource",
    activity="delete",
    severity="medium",
    fields="name host",
)
SOURCE_TESTED = action(
    "prometheus.source.tested",
    "tested a Prometheus source",
    target="PrometheusSource",
    activity="read",
    severity="informational",
    fields="name state finding",
)
STATE_CHANGED = action(
    "prometheus.source.state.changed",
    "recorded a new status of a Prometheus source",
    target="PrometheusSource",
    activity="update",
    severity="low",
    fields="name state finding",
)
QUERY_CHANGED = action(
    "indicator.query.changed",
    "changed how an indicator is read from Prometheus",
    target="Indicator",
    activity="update",
    severity="low",
    fields="key source kind good total bucket",
)
BACKFILL_REQUESTED = action(
    "indicator.backfill.requested",
    "requested a backfill of an indicator from Prometheus",
    target="Indicator",
    activity="update",
    severity="low",
    fields="key since until",
)

MAX_NAME_LENGTH, MAX_URL_LENGTH, MAX_SECRET_LENGTH, MAX_QUERY_LENGTH = 80, 500, 4000, 2000
HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}\Z")
# The request sets these itself; other values would change its target or end.
RESERVED = {"host", "content-length", "content-type", "transfer-encoding", "connection", "accept"}
SECRET = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?\Z")
IN_SECONDS = {"s": Decimal(1), "ms": Decimal("0.001"), "min": Decimal(60)}


# ---- sources


def add_source(*, name: str, url: str, header: str = "", secret: str = "") -> PrometheusSource:
    """Add a server. `secret` is the complete value of `header`, such as "Bearer abc"."""
    lock_tenant("prometheus sources")
    if len(queries.sources()) >= queries.MAX_SOURCES:
        raise Invalid(f"A tenant can have {queries.MAX_SOURCES} Prometheus sources at most.")
    source = PrometheusSource(
        **_checked(name, url, header, secret),
        secret=_encrypted(secret),
        added_by=current.actor().person_id,
        removed_at=None,
        tried_at=None,
        succeeded_at=None,
        next_try_at=None,
    )
    session().add(source)
    session().flush()
    record(SOURCE_ADDED, source, name=source.name, host=_host(source), header=source.header or None)
    return source


def edit_source(
    source: PrometheusSource, *, name: str, url: str, header: str = "", secret: str | None = None
) -> None:
    """Change a source. Without a `secret` it keeps its current one.

    A secret is never sent to another server, so a new host needs it again.
    """
    keeps = secret is None and bool(header)
    fields = _checked(name, url, header, secret_of(source) if keeps else secret or "", source)
    same_server = urlsplit(fields["url"])[:2] == urlsplit(source.url)[:2]
    if keeps and source.secret and not (same_server and fields["header"] == source.header):
        raise Invalid("Enter the token again: the server or the header changed.", field="secret")
    for field, value in fields.items():
        setattr(source, field, value)
    if not keeps:
        source.secret = _encrypted(secret or "")
    source.state, source.finding, source.failures, source.next_try_at = "new", "", 0, None
    record(
        SOURCE_EDITED,
        source,
        name=source.name,
        host=_host(source),
        header=source.header or None,
        secret_changed=not keeps,
    )


def remove_source(source: PrometheusSource) -> None:
    """Remove a server. Its counts stay, and its indicators need another source."""
    source.removed_at, source.secret = clock.now(), None
    record(SOURCE_REMOVED, source, name=source.name, host=_host(source))


def _checked(
    name: str, url: str, header: str, secret: str, own: PrometheusSource | None = None
) -> dict[str, str]:
    name, url, header = " ".join(name.split()), url.strip().rstrip("/"), header.strip()
    if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise Invalid(f"Enter a name of 1 to {MAX_NAME_LENGTH} characters.", field="name")
    taken = select(PrometheusSource.id).where(
        PrometheusSource.name == name, PrometheusSource.removed_at.is_(None)
    )
    if session().scalar(taken) not in {None, own.id if own else None}:
        raise Invalid("Another Prometheus source has this name. Choose another.", field="name")
    _check_url(url)
    if bool(header) != bool(secret):
        field = "header" if secret else "secret"
        raise Invalid("Enter both the header and its value, or neither.", field=field)
    if header and (not HEADER.match(header) or header.lower() in RESERVED):
        raise Invalid("Enter the name of a header, such as Authorization.", field="header")
    if secret and (len(secret) > MAX_SECRET_LENGTH or not SECRET.match(secret)):
        raise Invalid("The value has characters that a header can't have.", field="secret")
    return {"name": name, "url": url, "header": header}


def _check_url(url: str) -> None:
    if len(url) > MAX_URL_LENGTH or not url.isascii() or set(url) & {"?", "#"}:
        raise Invalid(
            "Enter the address that /api/v1/query is added to, without ? and #.", field="url"
        )
    try:
        outbound_http.safe_url(url)
    except outbound_http.NotCalled as fault:
        raise Invalid(fault.message, field="url") from fault


def _host(source: PrometheusSource) -> str:
    """Return the host for the log, since the full address may contain a token."""
    return urlsplit(source.url).hostname or ""


def _encrypted(secret: str) -> bytes | None:
    if not secret:
        return None
    return key_encryption.wrap(secret.encode(), _context(current.actor().tenant_id))


def secret_of(source: PrometheusSource) -> str:
    if not source.secret:
        return ""
    return key_encryption.unwrap(source.secret, _context(source.tenant_id)).decode()


def _context(tenant_id: UUID) -> bytes:
    return b"prometheus-secret\0" + tenant_id.bytes


key_encryption.holds(PrometheusSource, "secret", lambda row: _context(row.tenant_id))


def address_of(source: PrometheusSource) -> PrometheusAddress:
    """Return a source's address and credentials, to use outside of the transaction."""
    secret = secret_of(source)
    return PrometheusAddress(source.url, {source.header: secret} if secret else {})


# ---- queries


def set_query(
    indicator: Indicator,
    *,
    source_id: UUID,
    kind: str,
    good: str = "",
    total: str,
    bucket: Decimal | None = None,
    reason: str = "",
) -> PrometheusQuery:
    """Define how the indicator's minutes are read.

    counter    `good` and `total` select counters, which Meridian adds up
    count      `good` and `total` are queries whose value is the count of the last minute
    histogram  `total` selects the buckets of a classic histogram, `bucket` is the bound "le" up to
               which an event is good (or above which, for indicators where more is better)

    A change needs a reason, which the audit log keeps. Stored minutes don't change.
    """
    source = queries.source(source_id)
    fields = _checked_query(indicator, kind, good.strip(), total.strip(), bucket)
    query = queries.query_of(indicator.id, lock=True)
    if query is None:
        query = PrometheusQuery(
            indicator_id=indicator.id,
            source_id=source.id,
            pulled_until=None,
            next_try_at=None,
            **fields,
        )
        session().add(query)
    elif query.source_id == source.id and all(
        getattr(query, name) == value for name, value in fields.items()
    ):
        return query
    else:
        if not reason.strip():
            raise Invalid("Enter a reason. It is kept in the audit log.", field="reason")
        for name, value in {"source_id": source.id, **fields}.items():
            setattr(query, name, value)
        query.revision += 1
        query.state, query.finding, query.failures, query.next_try_at = "new", "", 0, None
        query.unknown = {}
    session().flush()
    record(
        QUERY_CHANGED,
        indicator,
        reason=reason.strip() or None,
        key=indicator.key,
        source=source.name,
        **{**fields, "bucket": None if bucket is None else f"{bucket:f}"},
    )
    return query


def _checked_query(
    indicator: Indicator, kind: str, good: str, total: str, bucket: Decimal | None
) -> dict[str, Any]:
    if indicator.source != "prometheus":
        raise Invalid(f"{indicator.name} is measured by the push API, not by Prometheus.")
    if indicator.is_retired:
        raise Invalid(f"{indicator.name} is retired and takes no more minutes.")
    if kind not in QUERY_KINDS:
        raise Invalid("Choose what the query returns.", field="kind")
    if kind == "histogram":
        _check_selector(total, "total", selectors.parse_buckets)
        return {
            "kind": kind,
            "good": "",
            "total": total,
            "bucket": _checked_bound(indicator, bucket),
        }
    for field, text in (("good", good), ("total", total)):
        if kind == "counter":
            _check_selector(text, field, selectors.parse)
        elif not text or len(text) > MAX_QUERY_LENGTH:
            raise Invalid(f"Enter a query of 1 to {MAX_QUERY_LENGTH:,} characters.", field=field)
    return {"kind": kind, "good": good, "total": total, "bucket": None}


def _check_selector(text: str, field: str, parse: object) -> None:
    try:
        parse(text)  # type: ignore[operator]
    except selectors.NotASelector as fault:
        raise Invalid(str(fault), field=field) from fault


def _checked_bound(indicator: Indicator, bucket: Decimal | None) -> Decimal:
    """Return the bucket if it is the indicator's bound, possibly in seconds. Raises Invalid."""
    if indicator.kind != "threshold" or indicator.bound is None:
        raise Invalid("A histogram measures indicators of the kind Threshold.", field="kind")
    if bucket is None or not bucket.is_finite():
        raise Invalid('Enter the bound of the bucket, its label "le".', field="bucket")
    bounds = {indicator.bound}
    if indicator.bound_unit in IN_SECONDS:
        seconds = indicator.bound * IN_SECONDS[indicator.bound_unit]
        bounds |= {seconds, seconds * 1000}
    if bucket not in bounds:
        raise Invalid(
            f"{indicator.name} has the bound {indicator.bound.normalize():f} {indicator.bound_unit}."
            " Enter the bucket with that bound, in the unit of the metric.",
            field="bucket",
        )
    return bucket


# ---- requested work


def queue_test(source: PrometheusSource) -> jobs.WorkItem:
    """Queue a test of the connection, or return one that is already in progress."""
    waiting = [item for item in queries.under_way() if item.target_id == source.id]
    return waiting[0] if waiting else jobs.enqueue(queries.WORK, source.id, what="test")


def request_backfill(indicator: Indicator, *, since: datetime, reason: str) -> jobs.WorkItem:
    """Queue reading the minutes from `since` again, with a reason for the audit log."""
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in the audit log.", field="reason")
    if queries.query_of(indicator.id) is None or indicator.is_retired:
        raise Invalid(f"{indicator.name} has no query to read its minutes with.")
    until = ready_until(clock.now())
    since = whole_minute(since)
    if not until - MAX_BACKFILL_AGE < since < until:
        raise Invalid(f"Enter an instant of the last {MAX_BACKFILL_AGE.days} days.", field="since")
    record(
        BACKFILL_REQUESTED,
        indicator,
        reason=reason.strip(),
        key=indicator.key,
        since=since,
        until=until,
    )
    return jobs.enqueue(
        queries.WORK,
        indicator.id,
        what="backfill",
        since=since.isoformat(),
        until=until.isoformat(),
        reason=reason.strip(),
    )
