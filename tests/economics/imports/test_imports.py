"""Operator's files: uploaded, previewed, then applied completely or not at all, and once."""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.economics.imports import actions, jobs, kinds, queries
from governance.economics.imports.models import FileImport
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.files import storage
from governance.kernel.work import jobs as queue
from tests import make
from tests.conftest import visitor
from tests.economics.imports.import_helpers import (
    HEADER,
    INDEX,
    SPEND,
    apply,
    row_of,
    upload,
    written,
)

GOOD = HEADER + "acme,2026-09,1200.50,EUR,\nglobex,2026-10,7,USD,late\nacme,2026-10,-0,EUR,\n"


@pytest.fixture
def finance(app, database):
    return visitor(app, "operator_finance", "console")


def entries() -> list[str]:
    with make.acting("operator_finance", "console"):
        query = select(AuditEntry.action).where(AuditEntry.target_type == "FileImport")
        return list(session().scalars(query.order_by(AuditEntry.at, AuditEntry.id)))


def test_a_file_is_previewed_and_applied_whole(finance):
    page = upload(finance, GOOD)
    preview = finance.get(page).text
    assert "3 rows are ready: acme and globex, September to October 2026" in preview
    assert "1,200.50 EUR" in preview and "7 USD" in preview and "a test" in preview
    assert written() == []
    apply(finance, page)
    assert written() == [
        ("acme 2026-09", "1200.50"),
        ("acme 2026-10", "0"),
        ("globex 2026-10", "7"),
    ]
    assert "3 rows applied: acme and globex" in finance.get(page).text
    assert entries() == ["import.uploaded", "import.applied"]
    assert "Applied" in finance.get(INDEX).text


def test_a_file_with_a_rejected_row_is_not_applied(finance):
    page = upload(finance, GOOD + "acme,2026-10,1,EUR,\nnobody,2026-10,1,EUR,\n")
    preview = finance.get(page).text
    assert "2 of 5 rows can" in preview and "Line 4 has this month." in preview
    assert "No customer has the slug “nobody”." in preview and "Apply" not in preview
    apply(finance, page, then=422)
    assert written() == [] and row_of(page).state == "ready"
    listed = list(csv.reader(io.StringIO(finance.get(f"{page}/rejected.csv").text)))
    assert [line[:2] for line in listed[1:]] == [["5", "month"], ["6", "customer"]]


def test_all_rejected_rows_are_in_the_download_also_where_the_page_shows_the_first(finance):
    page = upload(finance, HEADER + "nobody,2026-10,1,EUR,\n" * 700)
    assert "The first 500 are shown" in finance.get(page).text
    listed = list(csv.reader(io.StringIO(finance.get(f"{page}/rejected.csv").text)))
    assert len(listed) == 701 and listed[-1][0] == "701"


def test_what_fails_while_it_is_applied_leaves_nothing(finance):
    page = upload(finance, GOOD + "acme,2026-11,1,EUR,explode\n")
    apply(finance, page)
    assert written() == [] and row_of(page).state == "failed"
    assert "Nothing is written after this row." in finance.get(page).text
    assert entries() == ["import.uploaded"]


def test_applied_twice_is_applied_once(finance):
    page = upload(finance, GOOD)
    finance.post(f"{page}/apply")
    finance.post(f"{page}/apply")
    queue.drain(actor_of)
    apply(finance, page)
    assert len(written()) == 3 and entries().count("import.applied") == 1


def test_the_same_file_again_changes_nothing_and_says_so(finance):
    page = upload(finance, GOOD)
    assert upload(finance, GOOD, name="copy.csv") == page
    assert "This file is uploaded already." in finance.get(page).text
    apply(finance, page)
    assert upload(finance, GOOD) == page
    assert "This file was applied on" in finance.get(page).text
    assert len(written()) == 3 and entries().count("import.uploaded") == 1


def test_a_discarded_file_can_be_uploaded_again(finance):
    page = upload(finance, GOOD)
    finance.post(f"{page}/discard")
    assert "was discarded" in finance.get(page).text
    finance.post(f"{page}/apply", then=409)
    again = upload(finance, GOOD)
    assert again != page
    apply(finance, again)
    finance.post(f"{again}/discard", then=409)
    assert len(written()) == 3
    assert entries()[:3] == ["import.uploaded", "import.discarded", "import.uploaded"]


def test_a_file_that_cannot_be_read_says_why_and_can_be_discarded(finance):
    page = upload(finance, "customer;mont\nacme;2026-10\n")
    assert "the column “mont” isn" in finance.get(page).text
    finance.post(f"{page}/apply", then=409)
    finance.post(f"{page}/discard")
    assert row_of(page).state == "discarded"


def test_cancelled_while_it_is_read_it_is_discarded(finance, acting):
    with make.acting("operator_finance", "console"):
        row = actions.upload(SPEND, "a.csv", io.BytesIO(GOOD.encode()))
        address = f"{INDEX}{row.id}"
    finance.post(f"{address}/cancel")
    queue.drain(actor_of)
    assert row_of(address).state == "discarded" and written() == []


def test_files_go_a_day_after_they_were_discarded_or_never_applied(finance):
    applied, forgotten, discarded = (
        upload(finance, GOOD),
        upload(finance, HEADER + "acme,2026-01,1,EUR,\n"),
        upload(finance, HEADER + "acme,2026-02,1,EUR,\n"),
    )
    apply(finance, applied)
    finance.post(f"{discarded}/discard")
    pages = (applied, forgotten, discarded)
    keys = [row_of(page).storage_key for page in pages]
    jobs.remove_files()
    assert all(storage.store().exists(key) for key in keys)
    with clock.frozen(clock.now() + timedelta(days=1, minutes=1)):
        jobs.remove_files()
    assert [storage.store().exists(key) for key in keys] == [True, False, False]
    assert row_of(forgotten).state == "discarded"
    assert [row_of(page).storage_key is None for page in pages] == [False, True, True]


def test_a_stored_file_that_no_import_names_goes_after_a_day(finance):
    page = upload(finance, GOOD)
    with make.acting("operator_finance", "console") as who:
        left = storage.store().write(
            who.tenant_id, io.BytesIO(b"left"), limit=9, prefix=f"{actions.PREFIX}/00"
        )
    later = clock.now() + timedelta(days=1, minutes=1)
    with clock.frozen(later), make.acting("operator_finance", "console"):
        assert actions.remove_orphans() >= 1
        assert actions.remove_orphans() == 0
    assert not storage.store().exists(left.key)
    assert storage.store().exists(row_of(page).storage_key)


def test_only_the_operator_sees_and_imports_files(app, finance, as_admin):
    page = upload(finance, GOOD)
    for role, slug in (("admin", "acme"), ("compliance_officer", "globex")):
        person = visitor(app, role, slug)
        for address in (INDEX, page, f"{page}/rejected.csv"):
            person.get(address, then=404)
        person.post(f"{page}/apply", then=404)
        person.post(INDEX, kind=SPEND.name, file=(io.BytesIO(b"a"), "a.csv"), then=404)
    with make.acting("admin", "acme"):
        assert session().scalars(select(FileImport)).all() == []
    assert written() == []


def test_a_person_who_left_applies_nothing(finance):
    page = upload(finance, GOOD)
    finance.post(f"{page}/apply")
    with make.acting("operator_admin", "console"):
        from governance.foundation.people import member_actions
        from governance.foundation.people.queries import membership_of

        member_actions.remove_member(membership_of(make.person_id("operator_finance", "console")))
    queue.drain(actor_of)
    assert written() == []


def test_the_template_has_the_columns_of_the_kind(finance):
    lines = finance.get(f"{INDEX}templates/{SPEND.name}.csv").text.splitlines()
    assert lines[0].removeprefix("\ufeff") == HEADER.strip()
    page = upload(finance, "\n".join(lines))
    assert row_of(page).rows_accepted == 1
    finance.get(f"{INDEX}templates/nothing.csv", then=404)


def test_the_list_says_that_nothing_was_imported_yet(finance):
    assert "No files imported yet" in finance.get(INDEX).text


def test_a_kind_is_declared_once_and_completely():
    kinds.register(SPEND)
    with pytest.raises(ValueError, match="declare columns and apply"):
        kinds.ImportKind(
            name="nothing", label="Nothing", description="", permission=SPEND.permission
        )
    with pytest.raises(ValueError, match="registered twice"):
        kinds.register(
            kinds.ImportKind(
                name=SPEND.name,
                label="Another",
                description="",
                permission=SPEND.permission,
                columns=SPEND.columns,
                apply=SPEND.apply,
            )
        )


def test_a_kind_that_is_gone_can_be_seen_and_not_applied(finance):
    page = upload(finance, GOOD)
    with make.acting("operator_finance", "console"):
        queries.file_import(row_of(page).id).kind = "gone"
    assert "gone" in finance.get(page).text
    finance.post(f"{page}/apply", then=404)
