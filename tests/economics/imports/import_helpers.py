"""A kind of file for tests, whose rows are written to a kernel table, and files for it."""

import io
import re
from collections.abc import Sequence
from uuid import UUID

from governance.economics.imports import kinds, permissions
from governance.economics.imports.kinds import Checked, Column, ImportKind, Rejection, Row
from governance.economics.imports.models import FileImport
from governance.foundation.people.jobs import actor_of
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError
from governance.kernel.work import jobs
from governance.kernel.work.jobs import JobRun
from tests import make
from tests.browser import Visitor

INDEX = "/operator/economics/imports/"
HEADER = "customer,month,amount,currency,note\n"
WRITTEN = "test spend"


def _check(rows: Sequence[Row]) -> Checked:
    """Reject a second row of a customer's month."""
    seen: dict[tuple[str, str], int] = {}
    rejected = []
    for row in rows:
        key = (row.values["customer"].slug, str(row.values["month"]))
        if seen.setdefault(key, row.line) != row.line:
            rejected.append(Rejection(row.line, "month", f"Line {seen[key]} has this month."))
    wrong = {each.line for each in rejected}
    good = [row for row in rows if row.line not in wrong]
    return Checked(good, rejected, kinds.totals(good, amount="amount"), [("Source", "a test")])


def _apply(_import: FileImport, rows: Sequence[Row]) -> None:
    for row in rows:
        if row.values["note"] == "explode":
            raise DomainError("Nothing is written after this row.")
        scope = f"{row.values['customer'].slug} {row.values['month']}"
        session().add(JobRun(job=WRITTEN, scope=scope, period=str(row.values["amount"])))
        session().flush()


SPEND = ImportKind(
    name="test_spend",
    label="Spend of a test",
    description="One line for each customer and month.",
    permission=permissions.IMPORT,
    columns=(
        Column("customer", "tenant"),
        Column("month", "month"),
        Column("amount", "amount", aliases=("spend", "cost")),
        Column("currency", "currency"),
        Column("note", "text", required=False, max_length=20),
    ),
    check=_check,
    apply=_apply,
)
kinds.register(SPEND)


def upload(
    visitor: Visitor,
    content: str | bytes,
    name: str = "spend.csv",
    kind: str = SPEND.name,
    *,
    then: int = 303,
) -> str:
    """Upload and read a file. Return the address of its page, or the text of a rejection."""
    data = content.encode() if isinstance(content, str) else content
    reply = visitor.post(INDEX, kind=kind, file=(io.BytesIO(data), name), then=then)
    jobs.drain(actor_of)
    return reply.location if then == 303 else reply.text


def apply(visitor: Visitor, address: str, *, then: int = 303) -> None:
    visitor.post(f"{address}/apply", then=then)
    jobs.drain(actor_of)


def row_of(address: str) -> FileImport:
    """Return the import of a page."""
    found = re.search(r"[0-9a-f-]{36}", address)
    assert found, address
    with make.acting("operator_finance", "console"):
        row = session().get(
            FileImport, (make.actor("operator_finance", "console").tenant_id, UUID(found[0]))
        )
        assert row
        session().expunge(row)
        return row


def written() -> list[tuple[str, str]]:
    """Return scope and amount of what was applied."""
    with make.acting("operator_finance", "console"):
        query = session().query(JobRun).filter(JobRun.job == WRITTEN).order_by(JobRun.scope)
        return [(row.scope, row.period) for row in query]
