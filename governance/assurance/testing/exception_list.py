"""Declaration of the exception list."""

from governance.kernel.list_pages import Column, Filter, ListPage

EXCEPTIONS = ListPage(
    name="exceptions",
    title="Exceptions",
    noun="exception",
    endpoint="testing.exceptions",
    sort="-found",
    columns=(
        Column("exception", "Exception"),
        Column("found", "Found", sort=True),
        Column("finding", "Finding"),
        Column("state", "State"),
    ),
    filters=(Filter("state", "State"),),
)
