"""Operator pages: the platform minimum, the tiers, and requests to loosen them.

index_of_operator                  minimum and tiers side by side
change_floor, new_tier, tier       previewed first, then confirmed
change_request                     a request before it becomes a version
versions, version                  the history
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.foundation.approvals.models import Approval
from governance.foundation.approvals.queries import is_open, latest, open_approval
from governance.foundation.people import queries as people
from governance.foundation.tenants import queries as directory
from governance.kernel import clock, formatting
from governance.kernel.errors import DomainError, Invalid, NotFound
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted, counted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.policies import permissions, platform_approval, platform_minimum, queries
from governance.operations.policies.dimensions import DIMENSIONS, Value, plain, plain_all, read
from governance.operations.policies.effective_policies import Platform
from governance.operations.policies.forms import FloorForm, TierForm, value_name
from governance.operations.policies.models import PlatformPolicy
from governance.operations.policies.policy_diff import NOTHING_CHANGES, platform_content
from governance.operations.policies.setting_labels import value_meaning
from governance.operations.policies.strictness import loosens
from governance.operations.policies.tiers import TIERS

feature = Feature("operator_policies", __name__, scope="operator")
SLUG = re.compile(r"[a-z][a-z0-9-]{1,39}\Z")


@feature.get("/floor", needs=permissions.PLATFORM)
def index_of_operator() -> ResponseReturnValue:
    platform = queries.platform()
    return page(
        "operations/policies/minimum.html",
        platform=platform,
        dimensions=DIMENSIONS.values(),
        value_meaning=value_meaning,
        open_request=_open_request(),
        number=queries.newest_platform_number(),
        under=_tenants(),
        built_in=TIERS,
    )


def _open_request() -> Approval | None:
    row = queries.open_platform()
    approval = open_approval(queries.PLATFORM, row.id) if row else None
    return approval if approval is not None and is_open(approval) else None


def _tenants() -> int:
    """Return the number of active tenants, without the operator."""
    return sum(t.kind != "operator" for t in directory.living_tenants())


# ---- changing it


@feature.route("/floor/change", methods=["GET", "POST"], needs=permissions.FLOOR)
def change_floor() -> ResponseReturnValue:
    platform = queries.platform()
    shown = {value_name(key): _text(value) for key, value in platform.floor.items()}
    form = FloorForm(
        **shown, unwaivable=sorted(platform.unwaivable), base=str(queries.newest_platform_number())
    )

    def content() -> dict[str, Any]:
        given = {key: form[value_name(key)].data for key in DIMENSIONS}
        floor = {key: _read(key, text) for key, text in given.items() if text}
        return {
            **platform_content(platform),
            "floor": plain_all(floor),
            "unwaivable": form.unwaivable.data or [],
        }

    return _changing("operations/policies/minimum_change.html", platform, form, content)


@feature.route("/floor/tiers/new", methods=["GET", "POST"], needs=permissions.FLOOR)
def new_tier() -> ResponseReturnValue:
    platform = queries.platform()
    form = TierForm(**_tier_values(platform, "strict"), base=str(queries.newest_platform_number()))

    def content() -> dict[str, Any]:
        key = form.key.data or ""
        if not SLUG.match(key) or key == "new":
            raise Invalid(
                "Enter 2 to 40 lowercase letters, digits and hyphens, starting with a letter.",
                field="key",
            )
        if key in platform.tiers:
            raise Invalid(f"There is a tier {key} already. Choose another slug.", field="key")
        return _with_tier(platform, key, form)

    return _changing("operations/policies/tier.html", platform, form, content, tier=None)


@feature.route("/floor/tiers/<key>", methods=["GET", "POST"], needs=permissions.FLOOR)
def tier(key: str) -> ResponseReturnValue:
    platform = queries.platform()
    if key not in platform.tiers:
        raise NotFound("This tier doesn't exist, or you don't have access to it.")
    old = platform.tiers[key]
    frame = {"key": key, "name": old.name, "means": old.means, "four_eyes": old.four_eyes}
    form = TierForm(
        **_tier_values(platform, key), **frame, base=str(queries.newest_platform_number())
    )
    return _changing(
        "operations/policies/tier.html",
        platform,
        form,
        lambda: _with_tier(platform, key, form),
        tier=old,
    )


def _changing(
    template: str,
    platform: Platform,
    form: Any,
    content: Callable[[], Mapping[str, Any]],
    **more: Any,
) -> ResponseReturnValue:
    """Preview a change without writing, then apply it or request a second operator."""
    preview: dict[str, Any] = {}

    def show() -> None:
        after = platform_minimum.check_content(content())
        found = platform_minimum.moves(platform, after)
        if not found:
            raise DomainError(NOTHING_CHANGES)
        preview.update(
            after=after,
            moves=found,
            pairs=platform_minimum.lines(platform, after),
            loosens=any(loosens(m) for _, _, m in found),
            ends=platform_minimum.needs_end(after),
        )

    def act() -> None:
        ends = _end_of(form.until.data) if form.until.data else None
        platform_minimum.change(
            content(), base=counted(form.base.data), reason=form.reason.data or "", until=ends
        )

    if request.method == "POST" and form.verb.data == "confirm":
        if accepted(form, act):
            if (approval := _open_request()) is not None:
                return redirect(url_for("approvals.approval", approval_id=approval.id), 303)
            flash("Platform minimum changed. It applies to every tenant now.")
            return redirect(url_for("operator_policies.index_of_operator"), 303)
    elif request.method == "POST":
        accepted(form, show)
    status = 200
    if request.method == "POST" and form.problems:
        status = form.status
        form.base.data = str(queries.newest_platform_number())  # The next save is based on it.
    return page(
        template,
        status=status,
        form=form,
        platform=platform,
        dimensions=DIMENSIONS.values(),
        value_name=value_name,
        preview=preview,
        under=_tenants(),
        open_request=_open_request() if preview else None,
        **more,
    )


def _tier_values(platform: Platform, key: str) -> dict[str, str]:
    return {value_name(k): _text(value) for k, value in platform.tiers[key].values.items()}


def _text(value: Value) -> str:
    return ", ".join(sorted(value)) if isinstance(value, frozenset) else str(value)


def _with_tier(platform: Platform, key: str, form: Any) -> dict[str, Any]:
    content = platform_content(platform)
    values = {k: plain(_read(k, form[value_name(k)].data or "")) for k in DIMENSIONS}
    tier_content = {
        "name": form.name.data,
        "means": form.means.data or "",
        "values": values,
        "four_eyes": bool(form.four_eyes.data),
    }
    return {**content, "tiers": {**content["tiers"], key: tier_content}}


def _read(key: str, text: Any) -> Value:
    try:
        return read(key, text)
    except Invalid as error:
        raise Invalid(error.message, field=value_name(key)) from error


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59), formatting.tenant_zone()).astimezone(UTC)


# ---- requests


@feature.get("/floor/decisions/<uuid:platform_policy_id>", needs=permissions.PLATFORM)
def change_request(platform_policy_id: UUID) -> ResponseReturnValue:
    """Show a requested change. Its approval page has the decision."""
    row = queries.platform_policy(platform_policy_id)
    if row.number:
        return redirect(url_for("operator_policies.version", number=row.number), 302)
    return _record(row, *platform_approval.layers(row))


# ---- versions


@feature.get("/floor/versions", needs=permissions.PLATFORM)
def versions() -> ResponseReturnValue:
    found = queries.platform_versions(after=request.args.get("after"))
    more = url_for("operator_policies.versions", after=found.next) if found.next else None
    return page(
        "operations/policies/minimum_versions.html",
        versions=found.rows,
        more=more,
        platform=queries.platform(),
        over=clock.now(),
        names=people.names(i for v in found.rows for i in (v.made_by, v.decided_by)),
    )


@feature.get("/floor/versions/<int:number>", needs=permissions.PLATFORM)
def version(number: int) -> ResponseReturnValue:
    row = queries.platform_version(number)
    return _record(row, *platform_approval.layers(row))


def _record(row: PlatformPolicy, before: Platform, after: Platform) -> ResponseReturnValue:
    approval = latest(queries.PLATFORM, [row.id]).get(row.id)
    return page(
        "operations/policies/minimum_version.html",
        row=row,
        pairs=platform_minimum.lines(before, after),
        after=after,
        approval=approval,
        is_requested=row.state == "requested" and approval is not None and is_open(approval),
        over=clock.now(),
        names=people.names([row.made_by, row.decided_by]),
        moments=people.timeline([row.id, *([approval.id] if approval else [])]),
    )
