"""Agreements with the operator's vendors, and one claim that awaits approval.

Both vendors missed a target in the closed month. The claim on the model provider is still to
be prepared. The claim on the search provider is prepared.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from governance.demo.agreement_story import business_hours, visitor
from governance.demo.cast import Cast
from governance.demo.reliability_indicators import SEARCH_VENDOR, VENDOR
from governance.demo.reliability_setting import ZONE, acting
from governance.foundation.tenants.queries import tenant_by_slug
from governance.kernel.current import Actor
from governance.kernel.data.db import session
from governance.operations.agreements import acceptance_actions, actions, proposal_actions, queries
from governance.operations.agreements.drafts import Bands, CommitmentContent, Content
from governance.operations.agreements.models import FROM_VENDOR
from governance.publishing.statements import claim_actions, vendor_side
from governance.publishing.statements import queries as statements


@dataclass(frozen=True, slots=True)
class VendorTerms:
    """One vendor's standard terms, and who signed them for the vendor."""

    name: str
    vendor: str
    kind: str
    fee: int
    target: str
    bands: Bands
    minimum_coverage: str
    signatory: str
    title: str
    document: str


MODEL = VendorTerms(
    "helio-4-large",
    VENDOR,
    "downtime",
    314_000,
    "0.995",
    [["0.995", "0.1"], ["0.99", "0.25"]],
    "0.9",
    "Dana Okoye",
    "Account director",
    "Contract archive, file HC-2026-118",
)
SEARCH = VendorTerms(
    "Search of policy wordings",
    SEARCH_VENDOR,
    "ratio",
    96_000,
    "0.999",
    [["0.999", "0.1"], ["0.99", "0.25"]],
    "0.9",
    "Pia Lund",
    "Head of customer success",
    "Contract archive, file QS-2026-007",
)
SEARCH_CLAIM_DAYS = 60


def agree(console: Cast, start: datetime, model_claim_days: int) -> None:
    """Sign an agreement with each vendor: one operator records its signature, another accepts."""
    for terms, claim_days in ((MODEL, model_claim_days), (SEARCH, SEARCH_CLAIM_DAYS)):
        _agree(terms, console("operator"), console("noor"), _content(terms, start, claim_days))


def _content(terms: VendorTerms, start: datetime, claim_days: int) -> Content:
    return Content(
        effective_from=start,
        time_zone=ZONE,
        currency="EUR",
        monthly_fee=terms.fee,
        credit_cap=Decimal(1),
        minimum_coverage=Decimal(terms.minimum_coverage),
        close_day=3,
        maintenance_notice_hours=0,
        excluded_categories=(),
        claim_days=claim_days,
        business_hours=business_hours(),
        commitments=(
            CommitmentContent(
                vendor=True,
                vendor_kind=terms.kind,
                target=Decimal(terms.target),
                bands=terms.bands,
                fee_part=terms.fee,
            ),
        ),
    )


def _agree(terms: VendorTerms, operator: Actor, second: Actor, content: Content) -> None:
    with acting(visitor(operator, "console")):
        draft = actions.create(
            terms.name,
            content,
            direction=FROM_VENDOR,
            counterparty=terms.vendor,
            reason="Standard terms of the provider.",
        )
        proposal_actions.propose(draft, seen=draft.edited)
        acceptance_actions.record_vendor_signature(
            draft,
            seen=draft.fingerprint,
            name=terms.signatory,
            title=terms.title,
            document=terms.document,
        )
        draft_id = draft.id
    with acting(visitor(second, "console")):
        version = queries.version(draft_id)
        acceptance_actions.accept(version, seen=version.fingerprint, title="Service management")


def prepare_claim(operator: Actor) -> None:
    """Prepare a claim on the search provider for Acme's newest statement.

    Another operator must approve it.
    """
    with acting(visitor(operator, "acme")):
        statement = statements.newest(limit=1)[0].statement
        month, span = statement.its_month, statement.span
        session().expunge(statement)  # It is used later in the operator's transaction.
    with acting(operator):
        mine = [
            each
            for each in vendor_side.vendor_agreements(span)
            if each.named["counterparty"] == SEARCH_VENDOR
        ]
    with acting(visitor(operator, "acme")):
        [side] = vendor_side.sides(mine, month, span)
    with acting(operator):
        customer = tenant_by_slug("acme")
        if customer is None:
            raise LookupError("acme")
        claim_actions.prepare(customer.id, statement, side, bill=None)
