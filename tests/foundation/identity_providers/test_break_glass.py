"""Break-glass: the operator's command for a locked-out tenant, and its entries in both logs."""

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from governance.app import cli
from governance.foundation.approvals.models import Approval
from governance.foundation.identity_providers.models import ConnectionChange
from governance.foundation.people import queries
from governance.foundation.people.models import Connection, Invitation, person_key
from governance.kernel.data.db import session
from governance.kernel.work import jobs
from tests import make
from tests.browser import Visitor
from tests.foundation.identity_providers.sign_in_change_helpers import (
    change_in_state,
    live_connection,
    propose_change,
)
from tests.foundation.people.conftest import (
    GROUPS,
    Arrival,
    entries_of_action,
    no_session_starts,
    sessions_of,
)
from tests.foundation.people.hostile_idp import HostileIdP, change_claims

ADMIN, SECRET = "admin@acme.example", "demo-client-secret-of-32-characters"


@pytest.fixture
def operator(app, database, monkeypatch):
    """Return a function that runs `governance identity reset` and returns (exit code, output)."""
    monkeypatch.setenv("GOVERNANCE_PUBLIC_URL", "http://localhost")

    def run(*arguments: str, secret: str | None = SECRET) -> tuple[int, str]:
        done = CliRunner().invoke(
            cli.main, ["identity", "reset", *arguments], input=secret, obj=cli.CONNECTED
        )
        return done.exit_code, done.output

    return run


@pytest.fixture(scope="module")
def other():
    with HostileIdP.serving("acme") as running:
        yield running


def provider(idp) -> list[str]:
    return ["--issuer", idp.issuer, "--client-id", idp.client.id, "--secret-file", "-"]


def test_a_locked_out_tenant_gets_another_connection_and_an_admin(
    app, operator, idp, other, arrive
):
    other.calm()
    former, ines = live_connection(), arrive("officer@acme.example")
    code, said = operator(
        "acme",
        *provider(other),
        "--admin",
        ADMIN,
        "--reason",
        "Their directory is gone, ticket 4711",
    )
    assert (
        code == 0
        and other.issuer in said
        and "http://localhost/auth/callback/acme/2" in said
        and SECRET not in said
    )
    now = live_connection()
    assert (now.issuer, now.number, now.group_roles) == (
        other.issuer,
        2,
        {},
    ), "groups of another issuer are another company's"
    assert change_in_state(Connection, "retired").id == former.id and sessions_of() == []
    ines.get("settings/sessions", then=302)
    boss = Visitor(app)
    Arrival(boss, ADMIN).finish()
    boss.get("settings/sign-in")
    with no_session_starts():
        Arrival(Visitor(app), "officer@acme.example").finish(then=403)


def test_it_is_in_the_tenants_log_and_in_the_operators(operator, idp, other):
    operator("acme", *provider(other), "--admin", ADMIN, "--reason", "Locked out, ticket 4711")
    theirs, ours = (
        entries_of_action("identity_provider.reset")[-1],
        entries_of_action("identity_provider.reset", "console")[-1],
    )
    assert theirs.facts == {"provider": other.issuer, "admin": "invited", "sessions": 0}
    assert ours.facts == {"tenant": "acme", "provider": other.issuer, "admin": "invited"}
    assert "reason" in theirs.sealed and "reason" in ours.sealed
    assert entries_of_action("identity_provider.changed")[-1].facts["secret"] == "replaced"
    assert not any(
        SECRET.encode() in e.body
        for slug in ("acme", "console")
        for e in entries_of_action(slug=slug)
    )


def test_a_new_secret_alone_keeps_address_mapping_and_domains(operator, idp):
    code, _ = operator(
        "acme",
        *provider(idp),
        "--reason",
        "The secret ran out on a Sunday",
        secret="another-secret",
    )
    assert code == 0 and (live_connection().number, live_connection().group_roles) == (1, GROUPS)
    assert not entries_of_action("tenant.domains.changed")[1:]


def test_a_single_admin_gets_a_second_one(operator, idp, acting):
    code, said = operator(
        "acme", "--admin", "Second@Acme.example", "--reason", "Their only admin is on leave"
    )
    assert code == 0 and "second@acme.example" in said.lower()
    with acting("admin"):
        invited = session().scalars(select(Invitation)).one()
        letter = session().scalars(select(jobs.WorkItem).where(jobs.WorkItem.kind == "mail")).one()
        assert (invited.email, invited.role, invited.invited_by) == (
            "second@acme.example",
            "admin",
            None,
        )
        body = letter.params["body"]
    assert "The operator invited you" in body and "http://localhost/login?tenant=acme" in body


def test_a_member_at_the_live_provider_becomes_an_admin_at_once(app, operator, idp, arrive):
    arrive("officer@acme.example")
    operator("acme", "--admin", "officer@acme.example", "--reason", "Their only admin has left")
    with make.acting("admin", read_only=True):
        member = queries.membership_of(person_key(idp.issuer, "acme-1002"))
        assert member.role == "admin"
    change_claims(groups=["governance-officers"])(idp)
    arrive("officer@acme.example").get("settings/sign-in")


def test_an_address_that_two_members_have_makes_neither_an_admin(app, operator, idp, arrive):
    """Make neither an admin: many providers let a member set their address to another's."""
    change_claims(email="officer@acme.example", email_verified=False)(idp)
    thief = arrive("viewer@acme.example")
    idp.calm()
    officer = arrive("officer@acme.example")
    code, said = operator(
        "acme", "--admin", "officer@acme.example", "--reason", "Their only admin is on leave"
    )
    assert code != 0 and "2 members have the email address officer@acme.example" in said
    for visitor in (thief, officer):
        visitor.get("settings/sessions")  # Nothing was reset.
        visitor.get("settings/sign-in", then=403)


def test_an_open_change_is_closed(operator, as_admin, idp, other):
    propose_change(as_admin, other)
    operator("acme", "--admin", ADMIN, "--reason", "A change that nobody recognises")
    assert (
        change_in_state(ConnectionChange, "replaced")
        and change_in_state(Connection, "discarded").secret == b""
    )
    assert change_in_state(Approval, "voided").note == "The operator reset how people sign in."
    assert len(entries_of_action("identity_provider.change.replaced")) == 1


def test_in_the_operators_own_tenant_the_admin_is_an_operator(operator, other):
    code, _ = operator(
        "console", *provider(other), "--admin", "eva@console.example", "--reason", "Locked out"
    )
    assert code == 0
    with make.acting("operator_admin", "console", read_only=True):
        assert session().scalars(select(Invitation)).one().role == "operator_admin"


@pytest.mark.parametrize(
    ("arguments", "says", "code"),
    [
        (["--admin", ADMIN], "--reason", 2),
        (["--admin", ADMIN, "--reason", " "], "--reason is empty. Explain why you do this.", 2),
        (["--reason", "x"], "Name an identity provider", 2),
        (
            ["--issuer", "https://id.example", "--reason", "x"],
            "--issuer and --client-id together",
            2,
        ),
        (["--secret-file", "-", "--admin", ADMIN, "--reason", "x"], "--secret-file needs", 2),
        (
            [
                "--issuer",
                "http://10.0.0.1",
                "--client-id",
                "c",
                "--secret-file",
                "-",
                "--reason",
                "x",
            ],
            "http",
            1,
        ),
        (["--issuer", "https://id.example.invalid", "--client-id", "c", "--reason", "x"], "", 1),
        (["--admin", "nobody", "--reason", "x"], "an email address", 1),
    ],
)
def test_what_is_incomplete_or_unsafe_is_refused_and_changes_nothing(
    operator, idp, arguments, says, code
):
    before = live_connection().id
    result, said = operator("acme", *arguments)
    assert result == code and says in said
    assert live_connection().id == before and not entries_of_action("identity_provider.reset")


def test_the_secret_is_never_an_argument(operator, idp):
    code, said = operator("acme", *provider(idp)[:-2], "--secret", SECRET, "--reason", "x")
    assert code == 2 and "No such option" in said
