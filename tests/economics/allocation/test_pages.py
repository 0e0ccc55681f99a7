"""The operator's pages of allocation rules."""

import pytest
from bs4 import BeautifulSoup

from governance.economics.formulas.allocation import Driver
from governance.kernel import clock
from governance.kernel.months import Month
from tests.browser import words
from tests.conftest import visitor
from tests.economics.allocation.allocation_helpers import NOW, approve_rules, close, rules
from tests.foundation.approvals.approval_helpers import decide_approval

PAGE = "/operator/economics/allocation"
POOL_NAMES = ("infrastructure", "idle", "guardrails", "support", "other")


@pytest.fixture(autouse=True)
def _now(database):
    with clock.frozen(NOW):
        yield


@pytest.fixture
def as_finance(app, isolated):
    return visitor(app, "operator_finance", "console")


def fields(driver="active_users", *, base="0", since="2026-11", verb="preview", **more):
    return {
        **dict.fromkeys(POOL_NAMES, driver),
        "base": base,
        "since": since,
        "verb": verb,
        "reason": "People cause the cost.",
        **more,
    }


def rows_of(page):
    soup = BeautifulSoup(page.text, "html.parser")
    table = next(each for each in soup.select("table") if "by allocation rule" in each.caption.text)
    for chart in table.select("svg"):
        chart.decompose()
    return [
        [" ".join(cell.stripped_strings) for cell in row.select("td")]
        for row in table.select("tbody tr")
    ]


def test_without_rules_all_shared_cost_is_residue(as_operator):
    shown = words(as_operator.get(PAGE))
    assert "No allocation rules yet: all shared cost is residue" in shown
    assert "No rule: all of it is residue" in shown and "No versions yet" in shown
    assert "appears here when the first month is closed" in shown


def test_the_margin_of_each_tenant_is_shown_under_every_rule(as_operator):
    approve_rules(Driver.TOKENS)
    close(Month(2026, 10))
    page = as_operator.get(PAGE)
    assert rows_of(page) == [
        ["Globex", "−1,200", "−1,500", "−1,000", "−967", "−1,233", "", "Loses under every rule"],
        ["Northgate Mutual", "−50", "−150", "−650", "−50", "−283", "", "Loses under every rule"],
        [
            "Acme Insurance",
            "1,400",
            "1,800",
            "1,800",
            "1,167",
            "1,667",
            "",
            "Profitable under every rule",
        ],
        ["All 3 tenants", "150", "150", "150", "150", "150", "the same under every rule"],
    ]
    shown = words(page)
    assert "Globex and Northgate Mutual lose money under every rule" in shown
    assert "Tokens, in force" in shown and "Shared cost follows tokens" in shown
    assert "To allocate €1,000.00" in shown and "Residue own line, never spread €0.00" in shown
    assert page.text.count("margin by rule") == 3


def test_rules_are_previewed_requested_and_approved_by_another_person(as_operator, as_finance):
    approve_rules(Driver.TOKENS)
    close(Month(2026, 10))
    form = BeautifulSoup(as_finance.get(f"{PAGE}/new").text, "html.parser")
    assert form.select_one("select[name=support] option[selected]")["value"] == "tokens"
    preview = as_finance.post(f"{PAGE}/new", then=200, **fields(base="1"))
    shown = words(preview)
    assert "All pools Tokens Active users" in shown and "Active users, proposed" in shown
    assert len(rules()) == 1, "a preview writes nothing"
    where = as_finance.post(f"{PAGE}/new", **fields(base="1", verb="confirm")).location
    assert "Other rules await approval" in words(as_finance.get(PAGE))
    page = words(as_operator.get(where))
    assert "asks to change the allocation rules from November 2026" in page
    assert "Active users, proposed" in page and "Globex" in page
    decide_approval(as_finance, where, 403, verb="approve")
    decide_approval(as_operator, where, verb="approve")
    after = words(as_operator.get(PAGE))
    assert "version 2, since November 2026" in after
    assert "Shared cost follows active users" in after
    assert "People cause the cost. Leo Moreau Eva Brandt" in after
    version = as_operator.get(f"{PAGE}/{rules()[1].id}")
    assert "All pools follow active users" in words(version)


def test_pools_with_different_drivers_have_a_column_of_their_own(as_operator):
    close(Month(2026, 10))
    more = {"guardrails": "requests", "support": "fixed", "support_percents": "acme 60"}
    page = as_operator.post(f"{PAGE}/new", then=200, **fields("revenue", **more))
    assert "Fixed shares: Acme Insurance 60%" in words(page)
    assert [row[6] for row in rows_of(page)][-1] == "150" and len(rows_of(page)[0]) == 9


def test_what_cannot_be_proposed_is_named_beside_its_field(as_operator):
    close(Month(2026, 10))
    for changed, problem in (
        ({"since": "2026-10"}, "October 2026 is closed"),
        ({"since": "soon"}, "month"),
        ({"support": "fixed"}, "Enter the share of at least one tenant."),
        ({"support": "fixed", "support_percents": "acme 60, globex 41"}, "add up to 101%"),
        ({"support": "fixed", "support_percents": "nobody 60"}, "names no tenant"),
        ({"support": "weather"}, "Not a valid choice"),
        ({"verb": "confirm", "reason": ""}, "Enter a reason"),
    ):
        page = as_operator.post(f"{PAGE}/new", then=422, **fields(**changed))
        assert problem in words(page), changed
    assert "Version 0" not in words(as_operator.get(PAGE))
    as_operator.post(f"{PAGE}/new", then=409, **fields(base="7", verb="confirm"))
    assert rules() == []


def test_people_of_a_customer_have_no_access(as_admin, as_operator):
    made = approve_rules()
    for path in (PAGE, f"{PAGE}/new", f"{PAGE}/{made}"):
        as_operator.get(path)
        assert as_admin.get(path, then=None).status_code in {403, 404}, path
    as_operator.get(f"{PAGE}/{'0' * 8}-0000-7000-8000-{'0' * 12}", then=404)
