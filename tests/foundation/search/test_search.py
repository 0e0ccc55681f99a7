"""Search by words and references, limited to what the reader may open."""

import re

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import insert, select

from governance.assurance.controls.models import Control
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.search import finding, indexing
from governance.foundation.search.models import SearchDocument
from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.pages.search_words import typed, words_of
from governance.operations.policies.models import PolicyVersion
from tests import make
from tests.assurance.engagements import engagement_helpers
from tests.assurance.evidence import evidence_helpers
from tests.conftest import visitor
from tests.row_factory import RowFactory

ROLES = ("admin", "compliance_officer", "contributor", "viewer", "auditor")


def links(reply) -> dict[str, str]:
    """Return label and address of each result on a page."""
    found = BeautifulSoup(reply.text, "html.parser").select(".c-found a")
    return {each.get_text(strip=True): each["href"] for each in found}


def search(who, text, **query):
    return links(who.get("search", query_string={"q": text} | query))


@pytest.fixture
def limited(app, acting, database):
    """Return the world's auditor, whose engagement covers SOC 2, to which no control is mapped."""
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    with acting("compliance_officer"):
        soc2 = frameworks.framework("soc2-tsc-2017")
    engagement_helpers.create_engagement(auditor="auditor", framework_id=soc2.id)
    return visitor(app, "auditor")


# ---- words


def test_words_have_no_case_no_accents_and_no_punctuation():
    assert words_of("Ångström's CC7.3, Straße\0 Łódź") == [
        "angstrom", "s", "cc7", "3", "strasse", "lodz",
    ]  # fmt: skip # one kind a line
    assert typed("  ").words == typed("%_'\"\\&|!:*()<->\0").words == ()


@pytest.mark.parametrize(
    "text",
    [
        "SEC-0077",
        "sec 77",
        "sec-77",
        "café",
        "CAFE recert",
        "recertification of cafe",
        "Recertification of the café’s accounts",
    ],
)
def test_a_control_is_found_by_words_and_by_its_reference(as_viewer, database, text):
    evidence_helpers.create_control("SEC-0077", "Recertification of the café’s accounts")
    evidence_helpers.create_control("SEC-0078", "Something else")
    found = search(as_viewer, text)
    label = "SEC-0077 Recertification of the café’s accounts"
    assert label in found and "SEC-0078 Something else" not in found
    assert as_viewer.get(found[label]).status_code == 200
    hits = as_viewer.get("jump", query_string={"q": text}).json
    assert hits[0]["label"] == label, "the palette finds the same"


def test_its_reference_comes_first(as_viewer, database):
    for number in range(1, 9):
        evidence_helpers.create_control(f"ACC-{number}", f"About ACC 3 and others, {number}")
    assert as_viewer.get("jump", query_string={"q": "acc-3"}).json[0]["label"].startswith("ACC-3 ")
    assert [*search(as_viewer, "acc3")] == ["ACC-3 About ACC 3 and others, 3"]


def test_requirements_are_found_by_id(as_viewer):
    assert any(label.startswith("GOVERN 1.2 ") for label in search(as_viewer, "GOVERN 1.2"))
    assert any(label.startswith("MEASURE 2.7 ") for label in search(as_viewer, "measure 2.7"))


@pytest.mark.parametrize(
    ("text", "label", "roles"),
    [
        ("invite", "Invite a member", "admin"),
        ("restart", "Restart what is stopped", "admin compliance_officer"),
        ("sign off", "Sign off conclusions", "admin compliance_officer"),
        ("new evidence", "New evidence item", "admin compliance_officer"),
        ("stop", "Stop everything…", "admin compliance_officer contributor"),
        ("time zone", "Change tenant settings", "admin"),
        ("Jun Chen", "Jun Chen jun.chen@acme.example", "admin compliance_officer"),
        ("settings", "Settings", "admin compliance_officer contributor viewer auditor"),
        ("error budget", "Error budget", "admin compliance_officer contributor viewer auditor"),
    ],
)
def test_commands_people_pages_and_terms_are_found_by_who_may(app, isolated, text, label, roles):
    for role in ROLES:
        found = search(visitor(app, role), text)
        assert (label in found) == (role in roles.split()), (role, found)
        if label in found:
            assert visitor(app, role).get(found[label]).status_code == 200


# ---- visibility


@pytest.fixture
def rows_of_every_kind(app, acting, database):
    """Add a row of each indexed class in both tenants. Return (kind, words, acme's id)."""
    made = []
    with acting("admin", "globex"):
        theirs = RowFactory()
        for source in indexing.indexed():
            theirs.of(source.model)
        indexing.differences()
        foreign = set(session().scalars(select(SearchDocument.id)))
    with acting("admin"):
        rows = RowFactory()
        for source in indexing.indexed():
            row = session().get_one(
                source.model, (current.actor().tenant_id, rows.of(source.model))
            )
            if isinstance(row, PolicyVersion):
                row.number, row.base = 7, 0  # Published.
            found = indexing.document(source, row)
            made.append((source, found))
        indexing.differences()
    return made, foreign


@pytest.mark.parametrize("role", [*ROLES, "limited"])
def test_each_kind_is_found_by_exactly_those_who_may_open_it(
    request, app, rows_of_every_kind, role
):
    who = request.getfixturevalue("limited") if role == "limited" else visitor(app, role)
    made, foreign = rows_of_every_kind
    for source, document in made:
        assert document is not None, source.kind
        with app.test_request_context():
            values = source.address(document.id, document.ref, document.parent)
            address = app.url_map.bind("localhost").build(
                source.endpoint, values | {"tenant": "acme"}
            )
        opens = who.get(address, then=None).status_code not in {403, 404}
        reply = who.get("search", query_string={"q": document.words, "kind": source.kind})
        found = set(links(reply).values())
        assert (address in found) == opens, (role, source.kind, address, found)
        assert len(found) <= 1, (source.kind, found)
        assert not [each for each in foreign if str(each) in reply.text], "another tenant's"
        count = re.search(r'aria-current="page">\s*\S.*<b>(\d+)</b>', reply.text)
        assert opens or source.kind not in reply.text.partition('aria-label="Kinds"')[2], count


def test_a_limited_auditor_learns_nothing_by_counts(limited, as_officer, database):
    control = evidence_helpers.create_control("SEC-9001", "Zebra crossing")
    evidence_helpers.create_evidence("Zebra photo", supports=[control])
    engagement = engagement_helpers.create_engagement("Other firm")
    engagement_helpers.create_request(engagement, "Zebra list")
    assert len(search(as_officer, "zebra")) == 3
    for text in ("zebra", "SEC-9001", "zebra photo", "Zebra list"):
        reply = limited.get("search", query_string={"q": text})
        assert "No matches" in reply.text and links(reply) == {}, text
        assert limited.get("jump", query_string={"q": text}).json == [], text
    nothing = limited.get("search", query_string={"q": "qqqqq"}).text
    hidden = limited.get("search", query_string={"q": "zebra"}).text
    assert nothing.replace("qqqqq", "zebra") == hidden or _without_tokens(
        nothing.replace("qqqqq", "zebra")
    ) == _without_tokens(hidden)


def test_a_limited_auditor_is_offered_no_command_whose_page_counts_everything(limited, as_officer):
    for text in ("view risks", "incidents", "response times", "agreements", "statements"):
        for hit in limited.get("jump", query_string={"q": text}).json:
            assert limited.client.get(hit["href"]).status_code == 200, hit
    whole = as_officer.get("jump", query_string={"q": "view risks"}).json
    assert "View risks" in [each["label"] for each in whole]


def _without_tokens(text: str) -> str:
    return re.sub(r'value="[^"]{30,}"|milliseconds|request_id', "", text)


def test_the_statements_of_a_limited_auditor_are_the_same_whatever_is_hidden(
    limited, statements, database
):
    def seen():
        with statements() as each:
            limited.get("search", query_string={"q": "zebra crossing"})
        return each

    seen()
    before = seen()
    evidence_helpers.create_control("SEC-9001", "Zebra crossing")
    assert len(seen()) == len(before)
    assert not any("search_words" in each and "controls" in each for each in before)


def test_auditors_find_the_requests_of_their_open_engagements_only(app, as_auditor, database):
    mine = engagement_helpers.create_engagement("Mine", auditor="auditor")
    other = engagement_helpers.create_engagement("Other")
    engagement_helpers.create_request(mine, "Heron list")
    engagement_helpers.create_request(other, "Heron list of others")
    found = search(as_auditor, "heron")
    assert len(found) == 1 and str(mine) in next(iter(found.values()))
    assert len(search(visitor(app, "compliance_officer"), "heron")) == 2
    engagement_helpers.end_engagement(mine)
    assert search(as_auditor, "heron") == {}


def test_another_tenant_finds_none_of_it(as_neighbour, as_officer, database):
    evidence_helpers.create_control("SEC-9001", "Zebra crossing")
    assert search(as_officer, "zebra") and search(as_neighbour, "zebra") == {}
    with make.acting("admin", "globex"):
        assert finding.find(typed("zebra"), "zebra", kinds=()).count == 0


# ---- the page


def test_kinds_are_links_that_work_without_javascript(as_officer, database):
    control = evidence_helpers.create_control("SEC-9000", "Zebra control")
    for number in range(1, 8):
        evidence_helpers.create_evidence(f"Zebra photo {number}", supports=[control])
    reply = as_officer.get("search", query_string={"q": "zebra"})
    page = BeautifulSoup(reply.text, "html.parser")
    assert page.select_one("main form[method=get] input[name=q]")["value"] == "zebra"
    chips = [each.get_text(" ", strip=True) for each in page.select(".c-searchkinds a")]
    assert chips == ["All 8", "Controls 1", "Evidence items 7"]
    assert len(links(reply)) == 1 + 5
    more = page.find("a", string=re.compile("Show all 7"))
    assert len(links(as_officer.get(more["href"]))) == 7


def test_the_empty_page_says_what_to_do(as_viewer):
    assert "Find anything that you may open" in as_viewer.get("search").text
    reply = as_viewer.get("search", query_string={"q": "qqqqq", "kind": "control"})
    assert "No matches for “qqqqq”" in reply.text and "Search all kinds" in reply.text


@pytest.mark.parametrize(
    "text",
    [
        "x" * 10_000,
        "word " * 2_000,
        "' OR 1=1 --",
        '"unclosed',
        "a & | ! <-> :* (",
        "%",
        "_",
        "\\",
        "\ud800",
        "<script>alert(1)</script>",
        "🦓",
        "٣",
        "{{ 7*7 }}",
    ],
)
def test_whatever_is_typed_gets_a_page(as_viewer, database, text):
    evidence_helpers.create_control("SEC-9001", "Zebra crossing")
    sent = text.encode("utf-8", "surrogatepass")
    reply = as_viewer.get("search", query_string={"q": sent})
    assert "<script>alert" not in reply.text
    assert as_viewer.get("jump", query_string={"q": sent}).status_code == 200
    as_viewer.get("search", query_string={"q": "zebra", "kind": sent})


def test_it_costs_a_fixed_number_of_statements(as_officer, statements, database):
    def cost(text):
        as_officer.get("search", query_string={"q": text})
        with statements() as seen:
            as_officer.get("search", query_string={"q": text})
        return len([each for each in seen if "search_" in each]), len(seen)

    few = cost("zebra crossing")
    control = evidence_helpers.create_control("SEC-9001", "Zebra crossing")
    for number in range(20):
        evidence_helpers.create_evidence(f"Zebra crossing {number}", supports=[control])
    many = cost("zebra crossing")
    assert many == few and few[0] <= 2 and few[1] <= 9, many


def test_a_nul_is_refused_like_everywhere(as_viewer):
    as_viewer.get("search", query_string={"q": "zebra\0"}, then=422)


# ---- common words


def test_a_search_looks_at_a_bounded_number_of_objects_and_says_so(
    as_officer, acting, database, monkeypatch
):
    monkeypatch.setattr(finding, "READ", 20)
    monkeypatch.setattr(finding, "READ_ALONE", 10)
    with acting("admin"):
        rows = [_control(number) for number in range(30)]
        session().execute(insert(Control), rows)
    text = as_officer.get("search", query_string={"q": "zebra"}).text
    assert "there may be more" in text and "10" in text
    text = as_officer.get("search", query_string={"q": "zebra zeb"}).text
    assert "there may be more" in text and "20" in text, "two words are looked at more closely"
    assert search(as_officer, "zebra 29"), "the rare word leads"
    text = as_officer.get("search", query_string={"q": "zebra 29"}).text
    assert "there may be more" not in text


def _control(number: int) -> dict[str, object]:
    facts = RowFactory().values(Control.__table__)
    title = {"ref": f"ZEB-{number}", "title": f"Zebra {number}", "retired_at": None}
    return {k: v for k, v in facts.items() if k != "rests_on"} | title
