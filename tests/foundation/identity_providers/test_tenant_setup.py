"""`governance operator create` and `governance tenant create`: all done, or nothing and why."""

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from governance.app import cli
from governance.demo.idp.directory import Person
from governance.foundation.people import provider_metadata
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants import queries as directory
from governance.foundation.tenants.models import EmailDomain, Tenant
from governance.kernel import current
from governance.kernel.data.db import session, transaction
from tests import make
from tests.browser import Visitor
from tests.foundation.people.conftest import Arrival, entries_of_action
from tests.foundation.people.hostile_idp import HostileIdP, change_document

DANA = Person("initech-1", "dana@initech.example", "Dana Whitlock", ())


@pytest.fixture(scope="module")
def company():
    with HostileIdP.serving(people=(DANA,)) as running:
        yield running


@pytest.fixture
def create(app, database, company, monkeypatch, tmp_path):
    """Return a function that runs the command as an operator and returns (exit code, output)."""
    company.calm()
    provider_metadata.forget_metadata()
    directory.forget()
    monkeypatch.setenv("GOVERNANCE_PUBLIC_URL", "http://localhost")

    def run(who: str = "tenant", *more: str, **changed: str) -> tuple[int, str]:
        (tmp_path / "secret").write_text(changed.pop("secret", company.client.secret) + "\n")
        given = {
            "slug": "initech",
            "name": "Initech",
            "issuer": company.issuer,
            "client_id": company.client.id,
            "domain": "initech.example",
            "admin": DANA.email,
        } | changed
        options = [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]
        secret = f"--client-secret-file={tmp_path / 'secret'}"
        done = CliRunner().invoke(
            cli.main, [who, "create", *options, secret, *more], obj=cli.CONNECTED
        )
        return done.exit_code, done.output

    yield run
    directory.forget()


def saved(slug: str = "initech") -> Tenant | None:
    with transaction(read_only=True):
        found = directory.any_tenant_by_slug(slug)
        session().expunge_all()
    return found


def test_a_tenant_is_created_and_its_first_admin_signs_in(app, create):
    status, told = create()
    assert status == 0, told
    assert [line.partition(":")[0] for line in told.splitlines()[:5]] == [
        "ok    Discovery document",
        "ok    Signing algorithm",
        "ok    Signing keys",
        "ok    Client ID and secret",
        "ok    PKCE with S256",
    ]
    assert (
        "Redirect URI to register at the provider: http://localhost/auth/callback/initech" in told
    )
    dana = Visitor(app, tenant="initech")
    Arrival(dana, DANA.email).finish()
    dana.get("settings/members")
    for action in ("tenant.created", "identity_provider.changed", "tenant.domains.changed"):
        [entry] = entries_of_action(action, "initech")
        assert entry.actor_kind == "job"


def test_a_second_operator_is_refused(create):
    """Reject it; tests/journeys/test_installation.py creates the first one in an empty database."""
    status, told = create("operator", slug="console")
    assert status == 1 and len(told.splitlines()) == 1
    assert told.startswith("Error: This installation has an operator already: ")
    assert told.endswith(" (console). Nothing was saved.\n")


def test_a_dry_run_tests_the_provider_and_saves_nothing(create):
    status, told = create("tenant", "--dry-run")
    assert status == 0 and "ok    Client ID and secret" in told
    assert "Dry run: initech was not created. Nothing was saved." in told and saved() is None


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"issuer": "http://id.initech.example"}, "isn't an https address"),
        ({"secret": "mistyped"}, "Client ID and secret: The provider rejected the client ID or"),
        ({"client_id": "someone"}, "Client ID and secret: The provider rejected the client ID or"),
        ({"domain": "globex.example"}, "isn't in a work domain (globex.example)"),
        (
            {"domain": "globex.example", "admin": "new@globex.example"},
            "globex.example already belongs to another tenant",
        ),
        ({"domain": "initech"}, "isn't in a work domain"),
        ({"domain": "initech", "admin": "dana@initech"}, "isn't an email address"),
        ({"admin": "dana"}, "dana isn't an email address"),
        ({"slug": "globex"}, "The slug globex is already in use"),
        ({"slug": "In Itech"}, "In Itech isn't a slug"),
        ({"slug": "console"}, "The slug console belongs to the operator"),
        ({"name": " "}, "The name must have 1 to 120"),
        ({"secret": ""}, "The client secret must have 1 to 200"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence_and_nothing_is_saved(create, changed, sentence):
    with current.acting_as(make.system_actor("globex")), transaction():
        tenants.set_domains(directory.tenant_by_slug("globex"), {"globex.example"})
    with transaction(read_only=True):
        domains = set(session().scalars(select(EmailDomain.domain)))
    status, told = create(**changed)
    assert status == 1 and sentence in told and told.endswith("Nothing was saved.\n"), told
    assert len(told.splitlines()) == 1
    made = saved()
    assert made is None
    with transaction(read_only=True):
        assert set(session().scalars(select(EmailDomain.domain))) == domains


def test_a_wrong_issuer_is_refused(create, company):
    status, told = create(issuer=company.issuer + "/nothing")
    assert status == 1 and "The identity provider failed the test. Discovery document: " in told
    change_document("/.well-known/openid-configuration", issuer="https://else.example")(company)
    provider_metadata.forget_metadata()
    status, told = create()
    assert status == 1 and "names the issuer https://else.example" in told and saved() is None


def test_the_operators_slug_is_fixed(create):
    status, told = create("operator", slug="ops")
    assert (status, told) == (
        1,
        "Error: The operator's slug is always console. Nothing was saved.\n",
    )
