"""The first page of a tenant, with its posture and inbox, and of the operator, with the tenants."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from markupsafe import Markup

from governance.assurance.assessments.coverage import Share
from governance.assurance.assessments.framework_board import FUNCTIONS, FrameworkBoard
from governance.assurance.assessments.level_charts import level_bar, level_columns
from governance.assurance.evidence import permissions as evidence_permissions
from governance.foundation.people import permissions
from governance.foundation.people import queries as people
from governance.foundation.tenants import permissions as tenant_permissions
from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock, current, formatting
from governance.kernel.data.db import transaction
from governance.kernel.days import CENTURY, parse_day
from governance.kernel.pages.rendering import page
from governance.kernel.pictures import charts
from governance.kernel.safety.access import OPERATOR_ROLES, allowed, registry
from governance.kernel.safety.visibility_scope import limits
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue
from governance.publishing.inbox import queries as inbox
from governance.publishing.inbox.queries import InboxItem
from governance.publishing.inbox.sentences import need
from governance.publishing.overview import queries, sentences
from governance.publishing.overview.activity import Activity, recent_activity
from governance.publishing.overview.evaluations import evaluations_now
from governance.publishing.overview.first_steps import SetupStep, first_steps, is_incomplete
from governance.publishing.overview.queries import (
    CoverageAt,
    CoverageMovement,
    EvidenceState,
    LevelChange,
)
from governance.publishing.overview.reliability import reliability_now, rows_now
from governance.publishing.overview.top_risks import top_risks
from governance.publishing.overview.unit_economics import newest_review

feature = Feature("overview", __name__)
operator_feature = Feature("operator_overview", __name__, scope="operator")
MAX_ITEMS, MAX_GAPS, MAX_LEVEL_CHANGES, MAX_ACTIVITY = 6, 5, 3, 8
MAX_CANDIDATES = 100  # Inbox items, of which the page shows the most pressing.
NEWEST_TENANTS = 10
DUE_SOON_WEEKS = 2
MONTHS = 12


@feature.get("/", needs=permissions.OWN)
def overview() -> ResponseReturnValue:
    who = current.actor()
    if who.role in OPERATOR_ROLES:
        return redirect(url_for("operator_overview.overview"), 302)
    if limits() is not None:  # The page counts everything, so it needs full access.
        return redirect(url_for("engagements.index"), 302)
    day = _as_of()
    board = queries.board(datetime.combine(day, time(23, 59, 59), UTC) if day else None)
    steps = [] if day else first_steps(board)
    return page("publishing/overview/overview.html", **_context(board, day, steps))


def _as_of() -> date | None:
    """Return the past day in the address, or None."""
    text = request.args.get("as_of", "").strip()
    if not text:
        return None
    day = parse_day(text, field="as_of", bounds=(CENTURY[0], date.max))
    return day if day < clock.today() else None


def _context(board: FrameworkBoard, day: date | None, steps: Sequence[SetupStep]) -> dict[str, Any]:
    moved, points, evidence, readiness = (
        queries.movement(board),
        queries.trend(board),
        queries.evidence_at(board),
        queries.report_readiness(board),
    )
    works = allowed(evidence_permissions.UPLOAD)
    found = (
        inbox.page(size=MAX_CANDIDATES)
        if not day
        else inbox.InboxPage((), inbox.InboxCounts(), None)
    )
    waiting = found.tally.open
    now = () if day else rows_now()
    reports, new = queries.reports(board), bool(steps) and is_incomplete(steps)
    return {
        "board": board,
        "day": day,
        "kicker": _kicker(),
        "headline": (
            _headline(board, day, steps if new else ())
            or sentences.headline(board, moved, waiting, readiness)
        ),
        "steps": [_step(step) for step in steps] if new else [],
        "posture": bool(board.ledger.controls),
        "works": works,
        "own_first": works and not allowed(evidence_permissions.MANAGE),
        "needed": [_item(item) for item in queries.most_pressing(found.items, MAX_ITEMS)],
        "needs_you": need(waiting) if waiting else "",
        "more": max(0, waiting - MAX_ITEMS),
        "gaps": board.gaps[:MAX_GAPS],
        "functions": list(_functions(moved, points)),
        "functions_title": sentences.functions_title(board, moved),
        "evidence": evidence,
        **_evidence(evidence),
        **_quarters(queries.quarters(points), day),
        "changed_title": sentences.changed_title(moved),
        "changes": [*_moves(board, moved), *_activity(board)],
        "lines": [
            _line(board, line)
            for line in sentences.report_lines(readiness, reports, board.as_of.date())
        ],
        "reports": reports,
        "reliability": reliability_now(now),
        "risks": None if day else top_risks(),
        "evaluated": evaluations_now({row.kind for row in now}),
    }


def _kicker() -> str:
    """Return a kicker such as "Wednesday 25 November 2026, 10:24 Berlin"."""
    local = clock.now().astimezone(formatting.zone())
    place = formatting.zone().key.rpartition("/")[2].replace("_", " ")
    return f"{local:%A} {formatting.long_day(local.date())}, {formatting.hour(local)} {place}"


def _headline(board: FrameworkBoard, day: date | None, steps: Sequence[SetupStep]) -> str:
    """Return the headline of a past day or of a tenant without evidence, or else an empty text."""
    if day:
        return sentences.headline_then(board, day)
    return (
        sentences.headline_new(board, steps)
        if steps and board.ledger.first_evidence is None
        else ""
    )


def _step(step: SetupStep) -> dict[str, Any]:
    offered = step.needs in registry and allowed(registry[step.needs])
    href = url_for(step.endpoint) if offered and not step.done else None
    return {
        "done": step.done,
        "title": step.title,
        "text": step.text,
        "href": href,
        "verb": step.verb,
    }


def _item(item: InboxItem) -> dict[str, Any]:
    return {
        "icon": item.source.icon,
        "title": item.title,
        "href": url_for("inbox.open_item", key=item.key),
        "meta": item.detail,
        "since": item.row.since.date(),
        "due": item.row.due_on,
    }


def _functions(
    moved: CoverageMovement | None, points: Sequence[CoverageAt]
) -> Iterator[dict[str, Any]]:
    """Yield each function and "all". `change` and `line` are None without a history."""
    shares: dict[str, Share] = points[-1].shares
    span = "in 12 months" if len(points) > MONTHS else f"since {points[0].at:%B %Y}"
    for key in (*FUNCTIONS, "all"):
        share, name, change = shares[key], key.title(), moved.points[key] if moved else None
        line = [point.shares[key].percent for point in points]
        yield {
            "key": key,
            "name": name,
            "share": share,
            "below": share.count - share.met,
            "points": change,
            "change": None if change is None else sentences.signed(change),
            "still": change is None or abs(change) < sentences.NEGLIGIBLE_POINTS,
            "bar": level_bar(
                dict(enumerate(share.levels)), f"{name}: {share.count} requirements by level"
            ),
            "line": (
                charts.sparkline(
                    [round(v, 1) for v in line], f"{name}: {line[0]:.0f}% to {line[-1]:.0f}% {span}"
                )
                if len(line) > 1
                else None
            ),
        }


def _quarters(points: Sequence[CoverageAt], day: date | None) -> dict[str, Any]:
    title = sentences.quarters_title(points, then=day is not None)
    labels = [
        *(sentences.quarter(point) for point in points[:-1]),
        formatting.day_of_year(day) if day else "now",
    ]
    columns = [
        (label, dict(enumerate(point.shares["all"].levels)))
        for label, point in zip(labels, points, strict=True)
    ]
    chart = level_columns(columns, title) if len(points) > 1 else None
    return {"quarters_title": title, "quarters": columns, "quarters_chart": chart}


def _evidence(evidence: EvidenceState) -> dict[str, Any]:
    title = sentences.evidence_title(evidence)
    parts = [
        ("f1", evidence.fresh, "fresh"),
        ("warn", evidence.due, "due soon"),
        ("mid", evidence.in_review, "in review"),
        ("bad", evidence.late, "overdue"),
        ("mute", evidence.missing, "missing"),
    ]
    weeks = _weeks(evidence)
    return {
        "evidence_title": title,
        "evidence_bar": charts.stacked_bar([(kind, n) for kind, n, _ in parts], title, width=320),
        "evidence_key": charts.key_of([part for part in parts if part[1]]),
        "weeks": weeks,
        "weeks_chart": charts.columns(
            weeks,
            f"{sum(int(w.value) for w in weeks[1:])} due in the next {len(weeks) - 1} weeks",
        ),
    }


def _weeks(evidence: EvidenceState) -> list[charts.ChartColumn]:
    """Return overdue evidence, then evidence by calendar week. The first two weeks are amber."""
    columns = [charts.ChartColumn("overdue", evidence.late, "bad")]
    for position, (monday, count) in enumerate(evidence.weeks):
        columns.append(
            charts.ChartColumn(
                _week_label(monday, position), count, "warn" if position < DUE_SOON_WEEKS else "mid"
            )
        )
    return columns


def _week_label(monday: date, position: int) -> str:
    """Return labels such as "23 Nov", "30", "7 Dec", "14": the month is shown where it starts."""
    # The first Monday of a month.
    return formatting.day_of_year(monday) if position == 0 or monday.day <= 7 else str(monday.day)  # noqa: PLR2004 - first week of a month


def _moves(board: FrameworkBoard, moved: CoverageMovement | None) -> Iterator[dict[str, Any]]:
    if moved is None:
        return
    for word, kind, found in (("fell", "down", moved.fell), ("rose", "up", moved.rose)):
        for each in found[:MAX_LEVEL_CHANGES]:
            yield {
                "kind": kind,
                "text": _move_text(board, each, word),
                "meta": each.why.rstrip("."),
                "at": "in 30 days",
            }
        if len(found) > MAX_LEVEL_CHANGES:
            href = url_for("assessments.heat_map", key=board.framework.key)
            yield {
                "kind": kind,
                "text": f"{len(found) - MAX_LEVEL_CHANGES} more {word}",
                "href": href,
                "meta": "",
                "at": "in 30 days",
            }


def _move_text(board: FrameworkBoard, each: LevelChange, word: str) -> Markup:
    before, now = sentences.level_words(each.before), sentences.level_words(each.now)
    href = _row_href(board, each.row.requirement.path)
    return Markup('<a class="c-ref" href="{}">{}</a> {} from {} to {}').format(
        href, each.row.ref, word, before, now
    )


def _row_href(board: FrameworkBoard, path: str) -> str:
    return url_for("assessments.requirement", key=board.framework.key, ref=path)


def _activity(board: FrameworkBoard) -> Iterator[dict[str, Any]]:
    for each in recent_activity(board, MAX_ACTIVITY):
        yield {
            "kind": each.shape,
            "text": _activity_text(each),
            "meta": _object_names(each),
            "at": each.at,
        }


def _activity_text(each: Activity) -> Markup:
    times = f", {each.count} times" if each.count > 1 else ""
    return Markup("<b>{}</b> {}{}").format(each.who, each.says, times)


def _object_names(each: Activity) -> str:
    shown, more = each.names[:3], len(each.names) - 3
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _line(board: FrameworkBoard, line: sentences.ChecklistItem) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "text": line.text,
        "href": _row_href(board, line.row.requirement.path) if line.row else None,
    }


@operator_feature.get("/", needs=tenant_permissions.VIEW, endpoint="overview")
def directory() -> ResponseReturnValue:
    found = tenants.all_tenants()
    living = [each for each in found if each.status not in tenants.GONE_STATES]
    customers = sum(tenant.kind != "operator" for tenant in living)
    without_admin = _without_members(living) if allowed(tenant_permissions.FOUND) else set()
    return page(
        "publishing/overview/operator.html",
        found=found,
        customers=customers,
        without_admin=without_admin,
        review=newest_review(),
    )


def _without_members(found: Sequence[Tenant]) -> set[UUID]:
    """Return the newest customers without a member, whose first admin can still be set up."""
    customers = sorted((t for t in found if t.kind == "customer"), key=lambda t: t.created_at)
    newest = [t.id for t in customers[-NEWEST_TENANTS:]]
    empty = set()
    for tenant_id in newest:
        with transaction(read_only=True, tenant_id=tenant_id):
            if not people.has_signed_in():
                empty.add(tenant_id)
    return empty
