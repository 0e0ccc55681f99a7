"""Counts, frozen facts, and lists, reports and packages that hold all a reader may see."""

import re
from datetime import date, timedelta

import pytest
from bs4 import BeautifulSoup

from governance.assurance.engagements import queries as engagements
from governance.assurance.engagements.packages.contents import _testing
from governance.assurance.evidence import integrity
from governance.assurance.evidence import queries as pieces
from governance.assurance.testing import (
    exception_actions,
    exception_queries,
    matrix_queries,
    population_queries,
    sample_queries,
)
from governance.assurance.testing.exception_list import EXCEPTIONS
from governance.assurance.testing.finding_list import FINDINGS
from governance.assurance.testing.matrix import matrix_row
from governance.assurance.testing.matrix_facts import MatrixFacts, SampledItem
from governance.assurance.testing.sampling import DEFAULT_TABLE, spaced_seed
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock
from governance.kernel.safety import visibility_scope
from governance.kernel.work import jobs
from governance.publishing.reports.readiness.snapshot import _findings
from tests import make
from tests.assurance.engagements import engagement_helpers
from tests.assurance.evidence import evidence_helpers
from tests.assurance.evidence.deletion_helpers import approve_deletion, request_deletion
from tests.assurance.testing import type2_helpers
from tests.assurance.testing.type2_helpers import FIRST, LAST, NOBODY, TODAY, remediate_exception

# ---- counts


def a_control_test(*items):
    return matrix_row(
        MatrixFacts(NOBODY, "SEC-07", "Sign-off", "per release", FIRST, items=items),
        FIRST,
        LAST,
        today=TODAY,
        table=DEFAULT_TABLE,
    )


def a_sample_item(name, outcome=None, *, of="releases", ref=None, asked=2):
    return SampledItem(1, name, date(2026, 5, 4), outcome, ref, (of, FIRST, LAST), asked)


def test_an_item_that_two_samples_drew_counts_once_and_the_list_asks_for_no_more_than_its_largest_sample():
    found = a_control_test(
        a_sample_item("a", "passed"),
        a_sample_item("b"),
        a_sample_item("a"),
        a_sample_item("c", "passed", asked=3),
    )
    assert (found.tested, found.expected) == (2, 3)
    may = next(c for c in found.months if c.month.month == 5)
    assert "2 sample items tested. 1 sample item not tested yet." in may.why


def test_two_lists_ask_for_both():
    found = a_control_test(
        a_sample_item("a", "passed"),
        a_sample_item("b", "passed"),
        a_sample_item("c", "passed"),
        a_sample_item("a", of="leavers"),
    )
    assert (found.tested, found.expected) == (
        2,
        4,
    ), "what is tested beyond the rule makes up for no other list"


def test_an_item_that_failed_in_one_sample_and_passed_in_another_failed_and_names_every_exception():
    found = a_control_test(
        a_sample_item("a", "passed"),
        a_sample_item("a", "failed", ref="EXC-01"),
        a_sample_item("a", "failed", ref="EXC-02"),
    )
    assert (
        found.exceptions == ("EXC-01", "EXC-02")
        and "failed (EXC-01 and EXC-02)" in found.months[5].why
    )
    assert (found.tested, found.expected) == (1, 2)


def test_two_samples_of_one_population_are_asked_for_once(database):
    control = type2_helpers.create_control()
    population = type2_helpers.freeze_population(control)
    for seed in ("ab", "cd"):
        type2_helpers.record_results(type2_helpers.draw_sample(population, seed=seed), {1, 2})
    type2_helpers.draw_sample(
        type2_helpers.freeze_population(control, type2_helpers.population_csv(62)), seed="ab"
    )  # The same query and period, run again.
    with make.acting(read_only=True):
        found = matrix_queries.control_row(control, *matrix_queries.default_period())
    assert found.expected == 25 and 2 <= found.tested <= 4


def test_a_seed_that_drew_a_sample_draws_no_other_one_that_is_checked_for_something_else(
    as_officer,
):
    population = type2_helpers.freeze_population(type2_helpers.create_control())
    where = f"evidence/type-ii/populations/{population}/samples"
    as_officer.post(where, attributes="Signed", seed="4417 90ce")
    page = as_officer.post(where, then=422, attributes="Reviewed", seed="4417 90ce")
    assert "already exists and checks other attributes: Signed" in page.text
    as_officer.post(where, attributes=" Signed \n", seed="441790CE")


@pytest.mark.parametrize(
    ("seed", "shown"),
    [
        ("441790ce", "4417 90ce"),
        ("acceptance2026", "acceptance2026"),
        ("441790c", "441790c"),
        ("", ""),
    ],
)
def test_only_figures_are_shown_in_groups(seed, shown):
    assert spaced_seed(seed) == shown


# ---- frozen facts and links of results


def test_evidence_that_is_broken_or_destroyed_is_no_accepted_item_and_nothing_to_point_at(
    as_officer, as_reviewer
):
    control = type2_helpers.create_control()
    whole, broken, gone = (
        evidence_helpers.upload_version(
            evidence_helpers.create_evidence(f"Piece {n}", supports=[control]),
            b"a,%d\n" % n,
            "a.csv",
        )
        for n in range(3)
    )
    for version in (whole, broken, gone):
        evidence_helpers.accept_version(version)
    period = (clock.today() - timedelta(days=500), clock.today())
    with make.acting():
        assert (
            len(population_queries.evidence_version_rows(control, *period))
            == len(sample_queries.version_choices(control))
            == 3
        )
        integrity.record_fault(pieces.find_version(broken)[0], "altered")
    request_deletion(as_officer, gone)
    approve_deletion(as_reviewer, gone)
    jobs.drain(actor_of)
    with make.acting():
        assert [
            r["evidence"] for r in population_queries.evidence_version_rows(control, *period)
        ] == ["Piece 0"]
        assert [i for i, _ in sample_queries.version_choices(control)] == [whole]


# ---- lists


@pytest.fixture
def short_pages():
    """Set the lists' page size to ten, so that eleven rows fill more than one."""
    lists = (EXCEPTIONS, FINDINGS)
    sizes = [each.size for each in lists]
    for each in lists:
        object.__setattr__(each, "size", 10)  # A declaration is frozen otherwise.
    yield
    for each, size in zip(lists, sizes, strict=True):
        object.__setattr__(each, "size", size)


def create_exceptions(count):
    """Create `count` exceptions of one control. Return the control's id."""
    control = type2_helpers.create_control()
    sample = type2_helpers.draw_sample(
        type2_helpers.freeze_population(control, type2_helpers.population_csv(count)),
        size=count,
        reason="All of them",
    )
    type2_helpers.record_results(sample, None, "no", "Nobody signed")
    return control


def test_the_list_of_exceptions_is_paged_and_every_one_is_on_a_page(as_officer, short_pages):
    create_exceptions(21)
    page, seen = "evidence/type-ii/exceptions?state=open", []
    while page:
        text = as_officer.get(page).text
        assert "21 of 21 exceptions open" in text
        seen += re.findall(r">(EXC-\d+)<", text)
        following = re.search(r'href="/t/acme/([^"]+)"\s+rel="next"', text)
        page = following and following[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 21
    as_officer.get("evidence/type-ii/exceptions?after=bent", then=422)
    assert "EXC-" not in re.sub(
        r"(?s)<script.*?</script>",
        "",
        as_officer.get("evidence/type-ii/exceptions?state=closed").text,
    )


def test_the_list_of_findings_is_paged_open_ones_first(as_officer, short_pages):
    control = create_exceptions(11)
    with make.acting():
        for n, case in enumerate(exception_queries.exceptions(control_id=control)):
            exception_actions.raise_finding(
                case.exception,
                title=f"T{n}",
                plan="P",
                owner_id=make.person_id("contributor"),
                due_on=clock.today() + timedelta(days=n),
            )
        closed = exception_queries.findings()[0].exception.id
    remediate_exception(closed)
    with make.acting(read_only=True):
        wanted = [c.finding.ref for c in exception_queries.findings()]
        assert exception_queries.findings()[-1].exception.id == closed
    first = as_officer.get("evidence/type-ii/findings").text
    assert "10 of 11 findings open" in first
    following = re.search(r'href="/t/acme/([^"]+)"\s+rel="next"', first)[1].replace("&amp;", "&")
    refs = re.findall(r">(FND-\d+)<", first + as_officer.get(following).text)
    assert refs == wanted


def test_the_scope_is_asked_before_anything_is_left_out(as_auditor):
    """Apply the scope before the limit.

    Otherwise a thousand exceptions of other controls would push out the auditor's own.
    """
    mine, _, own = type2_helpers.create_failed_sample()
    other = type2_helpers.create_control("SEC-08")
    sample = type2_helpers.draw_sample(
        type2_helpers.freeze_population(other, type2_helpers.population_csv(60)),
        size=60,
        reason="All of them",
    )
    type2_helpers.record_results(sample, None, "no", "Nobody signed")
    held = visibility_scope.Scope(
        frozenset([mine]), clock.today() - timedelta(days=364), clock.today()
    )
    with type2_helpers.auditors_see(held):
        text = as_auditor.get("evidence/type-ii/exceptions").text
    assert "1 of 1 exception open" in text and "EXC-01" in text and "EXC-02" not in text
    with type2_helpers.auditors_see(held), make.acting("auditor", read_only=True):
        assert [c.exception.id for c in exception_queries.exceptions()] == [own]
        assert exception_queries.count_exceptions() == {"open": 1}
        (theirs,) = {c.control_id for c in matrix_queries.matrix(*matrix_queries.default_period())}
        assert theirs == mine


def test_reports_and_packages_hold_every_exception(database, monkeypatch):
    monkeypatch.setattr(sample_queries, "MAX_VERSION_CHOICES", 5)
    control = create_exceptions(30)
    engagement = engagement_helpers.world_engagement()
    with make.acting(read_only=True):
        index: dict = {}
        _testing(engagements.engagement(engagement), {control}, index)
        assert len(index["exceptions"]) == len(exception_queries.exceptions()) == 30


# ---- past days


def test_a_report_of_a_past_day_says_what_was_open_then(database):
    _, _, exception = type2_helpers.create_failed_sample()
    before = clock.now()
    told = {
        "functions": [
            {
                "categories": [
                    {
                        "requirements": [
                            {"ref": "CC8.1", "controls": [{"ref": "SEC-07", "last_test": None}]}
                        ]
                    }
                ]
            }
        ],
        "findings": [],
    }

    def refs(as_of):
        with make.acting(read_only=True):
            return [each["ref"] for each in _findings(told, as_of)]

    with make.acting():
        exception_actions.raise_finding(
            exception_queries.exception(exception),
            title="T",
            plan="P",
            owner_id=make.person_id("contributor"),
            due_on=clock.today(),
        )
    raised = clock.now()
    remediate_exception(exception)
    assert (refs(before), refs(raised), refs(clock.now())) == ([], ["FND-01"], [])


def test_exceptions_are_searched_and_exported_with_the_columns_that_are_shown(as_officer):
    found = type2_helpers.create_failed_sample()
    with make.acting("compliance_officer", read_only=True):
        case = exception_queries.exceptions()[0]
        ref, control = case.exception.ref, case.control.ref
    page = as_officer.get(f"evidence/type-ii/exceptions?q={control}").text
    assert ref in page and found
    assert "No exceptions match" in as_officer.get("evidence/type-ii/exceptions?q=zebra").text
    every = as_officer.get("evidence/type-ii/exceptions.csv").text.splitlines()
    assert every[0].count(",") == 9 and ref in every[1]
    shown = "evidence/type-ii/exceptions.csv?columns=cause&file=shown"
    head = as_officer.get(shown).text.splitlines()[0]
    assert head.endswith("Ref,Exception,Control,Item,Cause,State")


def test_the_matrix_shows_and_exports_the_columns_that_are_chosen(as_officer):
    type2_helpers.create_failed_sample()
    heads = [th.text for th in _heads(as_officer.get("evidence/type-ii?columns=missed").text)]
    assert heads[-1] == "Missed cycles" and "Tested" not in heads
    file = as_officer.get("evidence/type-ii.csv?columns=missed&file=shown").text.splitlines()
    assert file[0].endswith("Explanation,Missed cycles")


def _heads(html):
    return BeautifulSoup(html, "html.parser").select("table.c-matrix thead th")
