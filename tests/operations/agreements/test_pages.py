"""Pages of agreements through HTTP: both sides, drafts, acceptance, rehearsal, files."""

import re
from datetime import UTC, datetime

import pytest
from bs4 import BeautifulSoup

from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.intervals import MINUTE, Span
from governance.operations.agreements import proposal_actions, queries
from governance.operations.agreements.models import AgreementVersion
from governance.operations.measurements import actions as measuring
from tests import make
from tests.browser import words
from tests.name_helpers import show_names
from tests.operations.agreements import agreement_helpers as some
from tests.operations.objectives.objective_helpers import define, minutes_of, objective
from tests.step_up_helpers import visitor_needing_step_up

NOW = datetime(2026, 11, 25, 10, 10, tzinfo=UTC)
LIST, OPERATOR = "reliability/agreements/", "/operator/agreements/"


@pytest.fixture(autouse=True)
def _frozen():
    with clock.frozen(NOW):
        yield


@pytest.fixture
def indicator(database):
    with make.acting():
        return define(kind="downtime", name="Claims triage · Availability")


def fields(reply, action):
    """Return the fields of the form with that address, as a browser would send them."""
    soup = BeautifulSoup(reply.text, "html.parser")
    form = next(f for f in soup.find_all("form") if f.get("action", "").endswith(action))
    found = {i["name"]: i.get("value", "") for i in form.find_all("input") if i.get("name")}
    for name in [i["name"] for i in form.find_all("input", type="checkbox")]:
        found.pop(name, None)
    ticked = [i["value"] for i in form.find_all("input", type="checkbox") if i.has_attr("checked")]
    for select in form.find_all("select"):
        chosen = select.find("option", selected=True) or select.find("option")
        found[select["name"]] = chosen["value"]
    for area in form.find_all("textarea"):
        found[area["name"]] = area.get_text().lstrip("\n")
    found.pop("verb", None)
    found.pop("csrf_token", None)
    return found | ({"categories": ticked} if ticked else {})


def test_no_agreements_yet(as_viewer, as_officer):
    assert "No agreements yet" in words(as_viewer.get(LIST))
    assert "New agreement" not in words(as_viewer.get(LIST))
    assert "New agreement" in words(as_officer.get(LIST))


def test_from_template_to_both_signatures(as_operator, as_admin, as_officer, acting, indicator):
    with acting():
        objective(indicator)
    as_operator.get("/operator/agreements/acme/new")
    made = as_operator.post(
        "/operator/agreements/acme/new",
        name="Claims automation",
        monthly_fee="12,400.00",
        currency="EUR",
        effective_from="2026-12-01",
        tier="strict",
    )
    editor = as_operator.get(made.location)
    sent = fields(editor, "/edit")
    assert sent["c0_target"] == "99.5"
    assert (sent["c0_b0_below"], sent["c0_b1_below"], sent["c0_b2_below"]) == ("99.5", "97.5", "95")
    page = as_operator.post(made.location, **sent | {"c0_fee": "5,200.00"}, follow=True)
    shown = words(page)
    assert "AGR-1" in shown
    assert "€5,200.00" in shown
    assert "Not proposed yet" in shown
    path = page.request.path
    assert "No agreements yet" in words(as_admin.get(LIST))  # Only the operator sees its draft.
    as_operator.post(f"{path}/versions/1/propose", **fields(page, "/propose"))
    proposed = as_operator.get(path)
    as_operator.post(f"{path}/versions/1/accept", **fields(proposed, "/accept") | {"title": "COO"})
    mine = path.replace("/operator/agreements/acme", "/t/acme/reliability/agreements")
    assert "1 of 2 sides accepted" in words(as_officer.get(mine))
    assert "Accepting requires the tenant admin role" in words(as_officer.get(mine))
    seen = fields(as_admin.get(mine), "/accept")
    as_officer.post(f"{mine}/versions/1/accept", **seen, then=403)
    done = as_admin.post(f"{mine}/versions/1/accept", **seen, follow=True)
    assert "Both sides accepted" in words(done)
    assert "Eva Brandt, COO" in words(done)
    listed = as_officer.get(LIST)
    assert "Claims automation" in words(listed)
    with acting("viewer"):
        assert session().query(AgreementVersion).one().state == "accepted"


def test_accepting_needs_a_fresh_sign_in(app, indicator):
    row = some.proposed(indicator)
    path = f"reliability/agreements/{row.agreement_id}"
    late = visitor_needing_step_up(app, "admin")
    sent = fields(late.get(path), "/accept")
    late.post(f"{path}/versions/1/accept", **sent, then=401)
    with make.acting():
        assert queries.acceptances([row.id])[row.id] == []


def test_fingerprint_of_other_terms_is_refused_on_the_page(as_admin, indicator):
    row = some.proposed(indicator)
    path = f"reliability/agreements/{row.agreement_id}/versions/1/accept"
    as_admin.get(f"reliability/agreements/{row.agreement_id}")
    refused = as_admin.post(path, fingerprint="0" * 64, then=409)
    assert "terms have changed" in words(refused)


def test_roles_of_the_tenant_and_of_the_operator(
    app, as_viewer, as_auditor, as_contributor, as_stranger, as_operator, as_admin, indicator
):
    from tests.conftest import visitor

    row = some.in_force(indicator)
    path = f"reliability/agreements/{row.agreement_id}"
    for reader in (as_viewer, as_auditor, as_contributor):
        assert "In force" in words(reader.get(path))
        reader.post(f"{path}/versions/1/next", then=403)
        reader.get(f"{path}/contacts", then=403)
        reader.get(f"{path}/end", then=403)
        assert "version,1" in reader.get(f"{path}/versions/1/terms.csv").text
        reader.get(f"{path}/versions/1/rehearsal")
    as_stranger.get(path, then=404)
    operated = f"/operator/agreements/acme/{row.agreement_id}"
    assert "In force" in words(as_operator.get(operated))
    as_operator.get(f"/operator/agreements/globex/{row.agreement_id}", then=404)
    finance = visitor(app, "operator_finance", "console")
    finance.get(operated)
    finance.get(f"{operated}/versions/1/rehearsal")
    finance.post(f"{operated}/versions/1/next", then=403)
    as_admin.get(operated, then=404)
    as_admin.get(OPERATOR, then=404)


def test_operator_lists_every_tenant_and_vendors_apart(as_operator, as_viewer, indicator):
    some.in_force(indicator)
    vendor = some.vendor_draft()
    shown = words(as_operator.get(OPERATOR))
    assert "Acme Insurance" in shown
    assert "VEN-1 Model hosting" in shown
    assert "No agreement with this tenant yet." in shown
    assert "VEN-1" not in words(as_viewer.get(LIST))
    as_viewer.get(f"reliability/agreements/{vendor.agreement_id}", then=404)


def test_vendor_signature_is_recorded_on_the_page(app, as_operator, database):
    made = as_operator.post(
        "/operator/agreements/console/new",
        name="Model hosting",
        counterparty="Helio Cloud",
        monthly_fee="3140",
        currency="EUR",
        effective_from="2026-12-01",
        tier="standard",
    )
    path = made.location.partition("/versions/")[0]
    page = as_operator.get(path)
    assert "every indicator of this vendor" in words(page)
    as_operator.post(f"{path}/versions/1/propose", **fields(page, "/propose"))
    sent = fields(as_operator.get(path), "/signature")
    sent |= {"signer": "H. Vogel", "signer_title": "CFO", "document": "contracts/helio.pdf"}
    signed = as_operator.post(f"{path}/versions/1/signature", **sent, follow=True)
    assert "H. Vogel, CFO" in words(signed)
    assert "Vendor agreements aren’t rehearsed" in words(
        as_operator.get(f"{path}/versions/1/rehearsal")
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"c0_b0_below": "99.95"}, "above the target"),
        ({"c0_b1_below": "99.9"}, "Commitment 1, band 2"),
        ({"c0_b1_share": "5"}, "isn't above that of band 1"),
        ({"c0_target": "ninety"}, "isn't a percentage"),
        ({"c0_target": "120"}, "from 0 to 100"),
        ({"c0_fee": "12.345"}, "2 decimals at most"),
        ({"monthly_fee": "lots"}, "isn't an amount"),
        ({"close_day": "31"}, "from 1 to 28"),
        ({"hours_mon": "9 to 5"}, "enter hours such as"),
        ({"hours_mon": "17:00-09:00"}, "overlap or end before they start"),
        ({"country": "XX"}, "no holiday calendar"),
        ({"own_days": "Christmas"}, "isn't a date"),
        ({"s1_response": "60", "s1_resolution": "30", "s1_target": "90"}, "shorter"),
        ({"c1_measures": "objective:none", "c1_target": "99"}, "Not a valid choice"),
        ({"effective_from": "yesterday"}, "effective from"),
        ({"edited": "7"}, "Someone else edited this draft"),
    ],
)
def test_draft_with_a_wrong_value_says_which(as_operator, indicator, change, message):
    row = some.drafted(indicator)
    path = f"/operator/agreements/acme/{row.agreement_id}/versions/1/edit"
    sent = fields(as_operator.get(path), "/edit")
    refused = as_operator.post(path, **sent | change, then=None)
    assert refused.status_code in {409, 422}
    assert message in words(refused)


def test_draft_gets_another_row_without_javascript(as_operator, indicator):
    row = some.drafted(indicator)
    path = f"/operator/agreements/acme/{row.agreement_id}/versions/1/edit"
    page = as_operator.get(path)
    assert "c1_target" not in fields(page, "/edit")
    more = as_operator.post(path, **fields(page, "/edit") | {"verb": "more"}, then=200)
    sent = fields(more, "/edit")
    assert "c1_target" in sent
    assert sent["c0_target"] == "99.9"
    saved = as_operator.post(path, **sent, follow=True)  # The empty row is omitted.
    assert "1 commitment " in words(saved)


def test_returned_draft_tells_why_and_voids(as_operator, as_admin, indicator):
    row = some.proposed(indicator)
    path = f"reliability/agreements/{row.agreement_id}"
    sent = fields(as_admin.get(path), "/return") | {"reason": "Our cap is 40%."}
    as_admin.post(f"{path}/versions/1/return", **sent | {"reason": " "}, then=422)
    as_admin.post(f"{path}/versions/1/return", **sent)
    assert "Nothing is proposed yet" in words(as_admin.get(path))
    theirs = words(as_operator.get(f"/operator/agreements/acme/{row.agreement_id}"))
    assert "Not proposed yet" in theirs
    assert "Our cap is 40%." in theirs


def test_next_version_shows_its_differences(as_operator, indicator):
    row = some.in_force(indicator)
    path = f"/operator/agreements/acme/{row.agreement_id}"
    made = as_operator.post(f"{path}/versions/1/next")
    sent = fields(as_operator.get(made.location), "/edit")
    sent |= {"cap": "40", "effective_from": "2027-01-01", "reason": "A higher cap"}
    shown = words(as_operator.post(made.location, **sent, follow=True))
    assert "2 terms differ from version 1" in shown
    assert "30%" in shown
    assert "40%" in shown


def test_contacts_and_end(as_admin, as_operator, indicator):
    row = some.in_force(indicator)
    path = f"reliability/agreements/{row.agreement_id}"
    as_admin.get(f"{path}/contacts")
    as_admin.post(f"{path}/contacts", contacts="someone", then=422)
    line = "customer; service credits; Ines Duarte; ines@acme.example"
    shown = words(as_admin.post(f"{path}/contacts", contacts=line, follow=True))
    assert "Ines Duarte, ines@acme.example (service credits)" in shown
    as_admin.get(f"{path}/end")
    as_admin.post(f"{path}/end", on="2026-12-31", reason="", then=422)
    shown = words(as_admin.post(f"{path}/end", on="2026-12-31", reason="Moved", follow=True))
    assert "Ends with 1 January 2027" in shown


def test_an_auditor_without_names_reads_what_a_contact_is_for(as_admin, as_auditor, indicator):
    """Show the contacts' purposes, in an order that reveals no name.

    The test compares with an auditor who sees names.
    """
    page = f"reliability/agreements/{some.in_force(indicator).agreement_id}"
    lines = (
        "customer; statements; Ann Vexworth; ann@acme.example",
        "customer; claims; Zoe Vexworth; z@a.example",
    )
    as_admin.post(f"{page}/contacts", contacts="\n".join(lines))
    hidden = words(as_auditor.get(page))
    assert "Name hidden (claims)" in hidden.partition("Name hidden (statements)")[0]
    assert "Vexworth" not in as_auditor.get(page).text and "z@a.example" not in hidden
    show_names(True)
    shown = words(as_auditor.get(page))
    assert "Zoe Vexworth, z@a.example (claims)" in shown and "Name hidden" not in shown
    assert "Ann Vexworth, ann@acme.example (statements)" in words(as_admin.get(page))


def test_terms_as_a_file(as_viewer, indicator):
    row = some.in_force(indicator)
    reply = as_viewer.get(f"reliability/agreements/{row.agreement_id}/versions/1/terms.csv")
    assert "agr-1-v1-terms.csv" in reply.headers["Content-Disposition"]
    lines = reply.text.splitlines()
    assert "credit_cap,0.3" in lines
    assert "commitment 1 band 1,below 0.999: 0.1" in lines
    assert "monthly_fee,12400.00" in lines


def test_inbox_asks_the_admin_to_accept_and_to_renew(as_admin, as_officer, indicator):
    row = some.proposed(indicator)
    shown = words(as_admin.get("inbox/"))
    assert "Accept agreement AGR-1 Claims automation" in shown
    assert "Accept agreement" not in words(as_officer.get("inbox/"))
    some.accept_both(row.id)
    assert "Accept agreement" not in words(as_admin.get("inbox/"))
    some.in_force(indicator, ends_on=datetime(2026, 12, 31, tzinfo=UTC).date())
    assert "Renew or end agreement AGR-2" in words(as_officer.get("inbox/"))


def test_objective_names_the_commitment_that_uses_it(acting, as_viewer, indicator):
    with acting():
        its = objective(indicator).id
    with some.operating():
        from governance.operations.agreements import actions

        row = actions.create("Claims", some.content(some.promise(objective_id=its)), reason="")
        proposal_actions.propose(row, seen=1)
        version_id = row.id
    assert "AGR-1" not in words(as_viewer.get(f"reliability/objectives/{its}"))
    some.accept_both(version_id)
    shown = words(as_viewer.get(f"reliability/objectives/{its}"))
    assert "Agreement AGR-1, commitment 1: 99.9% a month" in shown


def test_palette_finds_an_agreement(as_viewer, as_neighbour, indicator):
    some.in_force(indicator)
    assert "AGR-1 Claims automation" in as_viewer.get("jump?q=claims+auto").text
    assert "AGR-1 Claims automation" in as_viewer.get("jump?q=agr-1").text
    assert "AGR-1 Claims automation" not in as_neighbour.get("jump?q=claims+auto").text


# ---- rehearsal


@pytest.fixture
def measured_months(indicator):
    """Add 60 minutes of downtime to the 31 days of October, and a measured day of November."""
    october = Span(some.OCTOBER, datetime(2026, 10, 31, 23, tzinfo=UTC))
    down = Span(october.start, october.start + 60 * MINUTE)
    with make.acting():
        measuring.store(
            [
                *minutes_of(indicator, down, good=0),
                *minutes_of(indicator, Span(down.end, october.end)),
            ],
            backfill_reason="History",
        )
    return indicator


def test_rehearsal_replays_13_months(as_operator, as_viewer, measured_months):
    row = some.drafted(measured_months)
    path = f"/operator/agreements/acme/{row.agreement_id}/versions/1/rehearsal"
    shown = words(as_operator.get(path))
    # Down for 60 of 44,700 minutes: 99.865%, below 99.9% → 10% of €5,200.00.
    assert "€520.00 of credits in 1 month of the last 13" in shown
    assert "99.865%" in shown
    assert "Missed: band 10%" in shown
    assert "Margin effect" in shown
    assert shown.count("not determinable") >= 12
    as_viewer.get(f"reliability/agreements/{row.agreement_id}/versions/1/rehearsal", then=404)


def test_rehearsal_of_no_data_is_not_determinable(as_operator, indicator):
    row = some.drafted(indicator)
    path = f"/operator/agreements/acme/{row.agreement_id}/versions/1/rehearsal"
    assert "Nothing is determinable" in words(as_operator.get(path))


def test_an_auditor_without_names_reads_who_accepted_by_role_and_letter(
    as_auditor, as_viewer, indicator
):
    row = some.in_force(indicator)
    path = f"reliability/agreements/{row.agreement_id}"
    with make.acting("admin") as who:
        name = who.name
    assert name in words(as_viewer.get(path))
    shown = words(as_auditor.get(path))
    at = shown.find(name)
    assert name not in shown, shown[at - 200 : at + 60]
    accepted = shown.partition("Both sides accepted this version")[2][:300]
    assert re.search(r"Admin [A-Z], ", accepted) and "Meridian operator, " in accepted, accepted
