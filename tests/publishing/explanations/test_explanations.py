"""“Why am I seeing this?”: public facts of a system's record, and nothing else of the tenant."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import Invalid
from governance.operations.evaluations.releases import actions as release_actions
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from governance.publishing.explanations import actions, queries
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.operations.rollouts.rollout_helpers import BAD, NEW, evaluate, world

HOME = "systems/claims-triage/explanation"


@pytest.fixture(scope="module")
def begun(app, module_transaction):
    """Create a system with a run that misses its limit, once."""
    world()
    evaluate(BAD)
    with make.acting("admin"):
        system = register.system("claims-triage")
        release_actions.state_release(system, NEW, reason="The deployment log.")
        systems.edit(
            system,
            seen=systems.revision(system),
            name=system.name,
            purpose="Sorts claims.",
            owner_id=None,
            facts={
                "why_shown": "Your insurer uses it to sort claims.",
                "capabilities": "Reads claims\nNames the clauses",
                "limits": "It doesn't decide about payment",
                "memory_control": "You can switch it off in your profile.",
                "team": "Internal team name",
            },
        )


@pytest.fixture
def system(begun, isolated):
    """Return the system, of which nothing is public yet."""


@pytest.fixture
def public(system, as_officer):
    """Return the path of its public page."""
    as_officer.post(f"{HOME}/switch", step="on")
    with make.acting("viewer", read_only=True):
        found = queries.explanation(register.system("claims-triage").id)
        assert found
        return f"/public/systems/{found.token}"


def test_anyone_reads_what_the_record_says_as_it_is_now(client, public):
    page = main_text(client.get(public))
    for sentence in (
        "Your insurer uses it to sort claims.",
        "Names the clauses",
        "It doesn't decide about payment",
        "You can switch it off in your profile.",
        "Where do answers come from?",
        "0 of 1 measures within their limits",
        "Grounded answers: outside its limit",
        "Stopping it hasn’t been tested yet.",
    ):
        assert sentence in page
    with make.acting("admin"):
        row = register.system("claims-triage")
        systems.edit(
            row,
            seen=systems.revision(row),
            name=row.name,
            purpose="Sorts claims and letters.",
            owner_id=None,
        )
    assert "Sorts claims and letters." in client.get(public).text


def test_nothing_of_the_tenant_is_on_it(client, public):
    with make.acting("viewer", read_only=True) as who:
        name = who.tenant_name
    for path in (public, f"{public}.json"):
        text = client.get(path).text.replace(public, "")
        assert "Internal team name" not in text and name not in text and "@" not in text
    assert not client.get(public).headers.getlist("Set-Cookie")


def test_programs_of_any_site_read_the_same_as_json(client, public):
    reply = client.get(f"{public}.json")
    found = reply.get_json()
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert found["capabilities"] == ["Reads claims", "Names the clauses"]
    assert found["last_evaluation"]["measures"] == [{"name": "Grounded answers", "verdict": "fail"}]
    assert found["last_stop_drill"] is None
    assert {each["question"] for each in found["policy"]} >= {"Does an answer name its source?"}
    tag = {"If-None-Match": reply.headers["ETag"]}
    client.get(f"{public}.json", headers=tag, then=304)


def test_nobody_embeds_it_but_the_origins_that_were_chosen(client, public, as_officer):
    def embedded_by(path: str) -> str:
        policy = client.get(path).headers["Content-Security-Policy"]
        return re.search(r"frame-ancestors ([^;]*);", policy)[1]

    assert embedded_by(public) == "'none'"
    as_officer.post(f"{HOME}/origins", origins="https://app.example\nhttps://*.shop.example:8443/")
    assert embedded_by(public) == "https://app.example https://*.shop.example:8443"
    assert embedded_by("/glossary") == "'none'"
    as_officer.post(f"{HOME}/origins", origins="")
    assert embedded_by(public) == "'none'"


@pytest.mark.parametrize(
    "line",
    [
        "http://app.example",
        "https://app.example/path",
        "https://app.example; script-src *",
        "https://",
        "*",
        "'self'",
        "https://a..example",
        "https://user@app.example",
        "https://app.example:99999",
        "javascript:alert(1)",
    ],
)
def test_what_is_no_origin_is_refused_with_its_line(public, as_officer, line):
    reply = as_officer.post(f"{HOME}/origins", then=422, origins=f"https://fine.example\n{line}")
    assert "Line 2: enter an origin such as https://app.example" in reply.text


def test_a_list_of_origins_has_an_end(public, as_officer):
    lines = "\n".join(f"https://a{n}.example" for n in range(11))
    assert "at most 10" in as_officer.post(f"{HOME}/origins", then=422, origins=lines).text


@given(st.text(max_size=80))
def test_no_text_reaches_the_header_but_an_origin(text):
    try:
        found = actions.read_origins(text)
    except Invalid:
        return
    assert all(re.fullmatch(r"https://[a-z0-9.*-]+(:\d+)?", each) for each in found)


def test_it_is_switched_off_and_its_address_replaced(client, public, as_officer):
    as_officer.post(f"{HOME}/switch", step="off")
    client.get(public, then=404)
    client.get(f"{public}.json", then=404)
    as_officer.post(f"{HOME}/switch", step="on")
    client.get(public)
    as_officer.post(f"{HOME}/address")
    client.get(public, then=404)


def test_a_retired_systems_page_is_gone(client, public):
    with make.acting("admin"):
        row = register.system("claims-triage")
        row.stage, row.retired_at = "retired", clock.now()
    client.get(public, then=404)


def test_every_wrong_address_gets_the_same_answer(client, public):
    slug, secret = public.removeprefix("/public/systems/why_").split("_", 1)
    wrong = [
        f"why_{slug}_{'A' * 22}",
        f"why_globex_{secret}",
        f"why_nobody-here_{secret}",
        f"chg_{slug}_{secret}",
        "why_",
        "x" * 10_000,
    ]
    pages = [client.get(f"/public/systems/{each}", then=404).text for each in wrong]
    assert len({re.sub(r"/public/[^\"<]*|[0-9a-f-]{16,}", "", page) for page in pages}) == 1


def test_only_admins_and_officers_open_it_and_readers_see_the_preview(
    system, as_contributor, as_viewer, as_officer, as_auditor
):
    for reader in (as_contributor, as_viewer, as_auditor):
        page = main_text(reader.get(HOME))
        assert "Not public" in page and "Your insurer uses it to sort claims." in page
        for path in ("switch", "address", "origins"):
            reader.post(f"{HOME}/{path}", then=403)
    as_officer.post(f"{HOME}/address", then=409)
    as_officer.post(f"{HOME}/switch", step="on")
    as_officer.post(f"{HOME}/switch", step="on")  # A double click.
    as_officer.post(f"{HOME}/switch", step="off")
    with make.acting("admin", read_only=True):
        entries = [
            each.action
            for each in session()
            .query(AuditEntry)
            .where(AuditEntry.action.startswith("explanation."))
        ]
    assert sorted(entries) == ["explanation.switched_off", "explanation.switched_on"]


def test_the_page_asks_as_many_statements_however_much_there_is(client, public, statements):
    def asked() -> int:
        with statements() as sent:
            client.get(public)
        return len(sent)

    before = asked()
    for _ in range(3):
        evaluate(BAD)
    assert asked() <= before
