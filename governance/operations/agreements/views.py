"""Routes of agreements: a tenant's pages, and the operator's with the same handlers."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import redirect, url_for

from governance.kernel.files.downloads import FILE
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.agreements import (
    acceptance_pages,
    agreement_pages,
    draft_pages,
    operator_rehearsals,
    permissions,
    queries,
    rehearsal_pages,
    version_page,
)
from governance.operations.agreements.place import Handler, for_operator, for_tenant

feature = Feature("agreements", __name__, counts_everything=True)
operator_feature = Feature("operator_agreements", __name__, scope="operator")

BASE, OPERATOR_BASE = "/reliability/agreements", "/agreements"
VERSION = "/<uuid:agreement_id>/versions/<int:number>"
BOTH = ("GET", "POST")
REHEARSALS = "/agreement-rehearsals"


def _add(
    rule: str,
    handler: Handler,
    tenant_needs: Any,
    operator_needs: Any,
    *,
    methods: Sequence[str] = ("GET",),
    **options: Any,
) -> None:
    """Register one handler under both blueprints."""
    name = handler.__name__
    feature.add_url_rule(
        f"{BASE}{rule}",
        name,
        for_tenant(feature.name, handler),
        needs=tenant_needs,
        methods=list(methods),
        **options,
    )
    operator_feature.add_url_rule(
        f"{OPERATOR_BASE}/<slug>{rule}",
        name,
        for_operator(feature.name, handler),
        needs=operator_needs,
        methods=list(methods),
        **options,
    )


feature.add_url_rule(
    f"{BASE}/", "index", for_tenant(feature.name, agreement_pages.index), needs=permissions.VIEW
)


@operator_feature.get(f"{OPERATOR_BASE}/", needs=permissions.OPERATOR_VIEW)
def index() -> ResponseReturnValue:
    """Show the agreements of all tenants, and those with vendors."""
    found = agreement_pages.operator_index()
    return page(found.template, **found.context)


_see = (permissions.VIEW, permissions.OPERATOR_VIEW)
_edit = (permissions.EDIT, permissions.OPERATE)
_sign = (permissions.ACCEPT, permissions.OPERATE)

_add("/new", draft_pages.new, *_edit, methods=BOTH)
_add("/<uuid:agreement_id>", agreement_pages.agreement, *_see)
_add("/<uuid:agreement_id>/contacts", draft_pages.contacts, *_edit, methods=BOTH)
_add(
    "/<uuid:agreement_id>/end",
    acceptance_pages.end,
    *_sign,
    methods=BOTH,
    fresh=acceptance_pages.END,
)
_add(f"{VERSION}/edit", draft_pages.edit, *_edit, methods=BOTH)
_add(f"{VERSION}/next", draft_pages.draft_next, *_edit, methods=("POST",))
_add(f"{VERSION}/propose", draft_pages.propose, *_edit, methods=("POST",))
_add(f"{VERSION}/withdraw", draft_pages.withdraw, *_edit, methods=("POST",))
_add(f"{VERSION}/return", acceptance_pages.return_to_draft, *_edit, methods=("POST",))
_add(
    f"{VERSION}/accept",
    acceptance_pages.accept,
    *_sign,
    methods=("POST",),
    fresh=acceptance_pages.ACCEPT,
)
_add(f"{VERSION}/rehearsal", rehearsal_pages.rehearsal, *_see)
_add(f"{VERSION}/terms.csv", version_page.terms_csv, *_see, answers=FILE)

operator_feature.add_url_rule(
    f"{OPERATOR_BASE}/<slug>{VERSION}/signature",
    "record_signature",
    for_operator(feature.name, acceptance_pages.record_signature),
    needs=permissions.OPERATE,
    methods=["POST"],
    fresh=acceptance_pages.SIGN,
)
operator_rehearsals.register(operator_feature, REHEARSALS)


@feature.get(f"{BASE}/versions/<uuid:agreement_version_id>", needs=permissions.VIEW)
def version_by_id(agreement_version_id: UUID) -> ResponseReturnValue:
    """Redirect the link of an audit entry to the version's page."""
    found = queries.version(agreement_version_id)
    there = url_for("agreements.agreement", agreement_id=found.agreement_id, version=found.number)
    return redirect(there, 302)
