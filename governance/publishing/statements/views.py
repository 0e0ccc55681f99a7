"""The addresses of statements: a tenant's pages, and the operator's with the same handlers."""

from typing import Any
from uuid import UUID

from flask import redirect, request, url_for

from governance.kernel.files.downloads import FILE
from governance.kernel.pages import work_pages
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.agreements.money import money
from governance.operations.agreements.place import for_operator, for_tenant
from governance.publishing.statements import (
    actions,
    figures,
    operator_pages,
    permissions,
    queries,
    statement_pages,
)
from governance.publishing.statements.open_months import close_chosen, open_months

feature = Feature("statements", __name__, counts_everything=True)
operator_feature = Feature("operator_statements", __name__, scope="operator")

BASE, OPERATOR_BASE = "/reliability/statements", "/statements"
ONE = "/<uuid:statement_id>"
DISPUTE = f"{ONE}/disputes/<uuid:dispute_id>"


def _add(rule: str, handler: Any, tenant: Any, operator: Any, **options: Any) -> None:
    """Add one handler to both blueprints. None omits it from one."""
    if tenant is not None:
        feature.add_url_rule(
            f"{BASE}{rule}",
            handler.__name__,
            for_tenant(feature.name, handler),
            needs=tenant,
            **options,
        )
    if operator is not None:
        operator_feature.add_url_rule(
            f"{OPERATOR_BASE}/<slug>{rule}",
            handler.__name__,
            for_operator(feature.name, handler),
            needs=operator,
            **options,
        )


@feature.get(f"{BASE}/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    found = queries.listed(after=request.args.get("after"))
    return page(
        "publishing/statements/index.html",
        rows=found.rows,
        next=found.next,
        after=request.args.get("after"),
        open_months=open_months(),
        figures=figures,
        money=money,
    )


@feature.post(f"{BASE}/close", needs=permissions.CLOSE)
def close_now() -> ResponseReturnValue:
    """Close a month that is over, before its day."""
    made = close_chosen()
    return redirect(url_for("statements.statement", statement_id=made.id), 303)


@feature.get(f"{BASE}/disputes/<uuid:dispute_id>", needs=permissions.VIEW)
def dispute(dispute_id: UUID) -> ResponseReturnValue:
    """Redirect to the disputes of the statement, as audit entries link a dispute."""
    found = queries.dispute(dispute_id)
    return redirect(url_for("statements.disputes", statement_id=found.statement_id))


work_pages.add_routes(feature, actions.CLOSING, f"{BASE}{ONE}", queries.run)

_see = (permissions.VIEW, permissions.OPERATE)
_add(ONE, statement_pages.statement, permissions.VIEW, None)
_add(f"{ONE}/revisions", statement_pages.revisions, *_see)
_add(f"{ONE}/disputes", statement_pages.disputes, *_see)
_add(
    f"{ONE}/revisions/<int:number>/download",
    statement_pages.download,
    *_see,
    methods=["POST"],
    answers=FILE,
)
_add("/provisional/<uuid:agreement_id>", statement_pages.provisional, *_see)
_add(
    f"{ONE}/disputes/new",
    statement_pages.new_dispute,
    permissions.DISPUTE,
    None,
    methods=["GET", "POST"],
)
_add(
    f"{DISPUTE}/withdraw",
    statement_pages.withdraw_dispute,
    permissions.DISPUTE,
    None,
    methods=["POST"],
)


_add("/close", operator_pages.close_month, None, permissions.OPERATE, methods=["POST"])
_add(
    f"{DISPUTE}/answer",
    operator_pages.answer_dispute,
    None,
    permissions.ANSWER,
    methods=["GET", "POST"],
)
_add(
    f"{ONE}/pay",
    operator_pages.record_payment,
    None,
    permissions.PAY,
    methods=["GET", "POST"],
    fresh=operator_pages.PAYMENT,
)

operator_feature.add_url_rule(
    f"{OPERATOR_BASE}/",
    "index",
    operator_pages.operator_index,
    needs=permissions.OPERATE,
)
operator_feature.add_url_rule(
    f"{OPERATOR_BASE}/<slug>{ONE}",
    "statement",
    operator_pages.statement,
    needs=permissions.OPERATE,
)
operator_feature.add_url_rule(
    f"{OPERATOR_BASE}/<slug>{ONE}/claims/<uuid:agreement_id>",
    "prepare_claim",
    operator_pages.prepare_claim,
    needs=permissions.CLAIM,
    methods=["GET", "POST"],
)
operator_feature.add_url_rule(
    "/claims/<uuid:claim_id>", "claim", operator_pages.claim, needs=permissions.OPERATE
)
for _name, _handler in (
    ("send", operator_pages.send_claim),
    ("settle", operator_pages.settle_claim),
):
    operator_feature.add_url_rule(
        f"/claims/<uuid:claim_id>/{_name}",
        _handler.__name__,
        _handler,
        needs=permissions.CLAIM,
        methods=["POST"],
    )
operator_feature.add_url_rule(
    "/claims/<uuid:claim_id>/file",
    "claim_file",
    operator_pages.claim_file,
    needs=permissions.CLAIM,
    methods=["POST"],
    answers=FILE,
)
