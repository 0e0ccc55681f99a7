"""Private networks that the operator allowed, for identity providers that the operator named.

No address that a tenant enters reaches them.
"""

import ipaddress
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server

from governance.demo.idp.directory import Person
from governance.foundation.anchors.webhook import new_secret
from governance.foundation.identity_providers import break_glass
from governance.foundation.people import provider_metadata
from governance.foundation.people.models import Connection
from governance.foundation.tenants import queries as directory
from governance.kernel import current
from governance.kernel.client_address import networks
from governance.kernel.data.db import session, transaction
from governance.kernel.safety import outbound_http
from tests import make
from tests.browser import Visitor
from tests.foundation.identity_providers.sign_in_change_helpers import proposal_form
from tests.foundation.people.conftest import Arrival
from tests.foundation.people.hostile_idp import CLIENT, HostileIdP, change_claims, change_document

DANA = Person("initech-1", "dana@initech.example", "Dana Whitlock", ())
PRIVATE = "is on a private network. Meridian connects to public addresses only."
FIRST_ADMIN = "/operator/tenants/initech/first-admin"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Return (certificate, key) for 127.0.0.1, which is its own authority."""
    folder, key = tmp_path_factory.mktemp("tls"), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(certificate), str(secret)


class _Quiet(WSGIRequestHandler):
    def log_request(self, code="-", size="-"):
        """Log nothing, since addresses carry codes."""


@contextmanager
def serving_tls(app, certificate):
    server = make_server(
        "127.0.0.1", 0, app, threaded=True, request_handler=_Quiet, ssl_context=certificate
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def inside(monkeypatch, certificate):
    """Leave the demo mode and allow 127.0.0.0/8 as a private network."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate[0])
    monkeypatch.delenv("GOVERNANCE_DEMO", raising=False)
    outbound_http.use(networks("127.0.0.0/8"))
    provider_metadata.forget_metadata()
    yield
    outbound_http.use(())
    provider_metadata.forget_metadata()
    directory.forget()


@contextmanager
def provider_inside(certificate):
    """Yield a provider that listens before it knows its own address."""
    known: list[HostileIdP] = []

    def answer(environ, start):
        return known[0](environ, start)

    with serving_tls(answer, certificate) as base:
        known.append(HostileIdP(f"{base}/initech", (DANA,), (CLIENT,)))
        yield known[0]


@pytest.fixture
def company(certificate):
    """Yield the company's provider, inside its network."""
    with provider_inside(certificate) as running:
        yield running


@pytest.fixture
def neighbor(certificate):
    """Yield another server of that network, which no tenant may reach: (address, its requests)."""
    calls: list[str] = []

    def answer(environ, start):
        calls.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        start("200 OK", [("Content-Type", "application/json")])
        return [b'{"error": "invalid_grant", "keys": []}']

    with serving_tls(answer, certificate) as base:
        yield base, calls


@pytest.fixture
def initech(app, as_operator, inside, company, isolated):
    """Create a tenant whose provider the operator named. Its first admin has signed in."""
    as_operator.post("/operator/tenants/", slug="initech", name="Initech")
    as_operator.post(
        FIRST_ADMIN,
        issuer=company.issuer,
        client_id=company.client.id,
        secret=company.client.secret,
        domains="initech.example",
        email=DANA.email,
    )
    dana = Visitor(app, tenant="initech")
    Arrival(dana, DANA.email).finish()
    return dana


def propose(visitor, idp, then=303, **changes):
    form = proposal_form(visitor, idp, domains="initech.example", **changes)
    return visitor.post("settings/sign-in/change", then=then, **form)


def connection(state, slug="initech"):
    with current.acting_as(make.system_actor(slug)), transaction(read_only=True):
        found = session().scalars(select(Connection).where(Connection.state == state)).one()
        session().expunge(found)
    return found


def test_a_tenant_signs_in_at_the_provider_that_the_operator_named(initech, company):
    """Reach the provider in the fixture's first sign-in: discovery, keys, token, userinfo."""
    initech.post("settings/sign-in/test")
    assert all(step["ok"] for step in connection("live").findings)
    propose(initech, company, group_roles="governance-admins = admin\nofficers = viewer")
    proposed = connection("proposed")
    assert proposed.named_by_operator and all(step["ok"] for step in proposed.findings)


def test_a_tenants_admin_reaches_no_other_server_of_that_network(initech, company, neighbor):
    address, calls = neighbor
    for issuer in (address, f"{address}/initech", "https://127.0.0.2", "https://localhost"):
        page = propose(initech, company, 422, issuer=issuer)
        assert PRIVATE in page.text, issuer
    assert calls == []


def test_another_tenants_admin_reaches_not_even_that_provider(app, initech, company):
    company.calls.clear()
    other = Visitor(app, make.cookie("admin", "globex"), tenant="globex")
    form = proposal_form(other, company, domains="globex.example")
    page = other.post("settings/sign-in/change", then=422, **form)
    assert PRIVATE in page.text and company.calls == []


@pytest.mark.parametrize(
    ("member", "step"), [("jwks_uri", "Signing keys"), ("token_endpoint", "Client ID and secret")]
)
def test_its_discovery_document_leads_to_no_other_server(initech, company, neighbor, member, step):
    address, calls = neighbor
    change_document("/openid-configuration", **{member: f"{address}/secret"})(company)
    initech.post("settings/sign-in/test")
    found = {each["says"]: each for each in connection("live").findings}
    assert not found[step]["ok"] and PRIVATE in found[step]["detail"]
    assert calls == []


@pytest.mark.parametrize("member", ["token_endpoint", "jwks_uri", "userinfo_endpoint"])
def test_a_sign_in_is_led_to_no_other_server(app, initech, company, neighbor, member):
    address, calls = neighbor
    change_document("/openid-configuration", **{member: f"{address}/secret"})(company)
    change_claims(email=None)(company)  # Then userinfo is requested.
    provider_metadata.forget_metadata()
    Arrival(Visitor(app), DANA.email).finish(then=503)
    assert calls == []


def test_a_public_provider_that_a_tenant_named_leads_to_no_private_server(
    as_admin, inside, monkeypatch, company, neighbor
):
    """Reject a public, hostile provider whose document names private servers."""
    address, calls = neighbor
    # Loopback by http stands in for the public internet here.
    monkeypatch.setenv("GOVERNANCE_DEMO", "1")
    with HostileIdP.serving() as public:
        change_document(
            "/openid-configuration",
            jwks_uri=f"{address}/keys",
            token_endpoint=f"{company.issuer}/token",
        )(public)
        form = proposal_form(as_admin, public)
        as_admin.post("settings/sign-in/change", **form)
    found = {each["says"]: each for each in connection("proposed", "acme").findings}
    assert found["Discovery document"]["ok"]
    for step in ("Signing keys", "Client ID and secret"):
        assert not found[step]["ok"] and PRIVATE in found[step]["detail"]
    assert calls == company.calls == []


ELSEWHERE = {
    "webhook": ("settings/webhooks/new", {"name": "Paging", "events": ["alert.fired"]}),
    "witness": ("audit/anchors", {"kind": "witness", "name": "Northlight", "key": "x"}),
    "receiver": ("audit/anchors", {"kind": "webhook", "name": "Store", "secret": new_secret()}),
    "timestamps": ("audit/anchors", {"kind": "timestamp", "name": "Authority"}),
    "prometheus": (
        "reliability/indicators/sources/new",
        {"name": "Production", "auth": "bearer", "secret": "s3cret"},
    ),
}


@pytest.mark.parametrize("what", ELSEWHERE)
def test_nothing_else_that_a_tenant_enters_leads_there(
    as_admin, inside, company, neighbor, certificate, what
):
    address, calls = neighbor
    path, form = ELSEWHERE[what]
    if what == "timestamps":
        form = form | {"key": Path(certificate[0]).read_text()}
    for url in (address, company.issuer):
        assert PRIVATE in as_admin.post(path, then=422, url=url, **form).text
    assert calls == company.calls == []


def test_the_operator_names_another_one_by_identity_reset(initech, company, certificate):
    with provider_inside(certificate) as following:
        propose(initech, company, 422, issuer=following.issuer)
        wanted = break_glass.SignInReset(
            following.issuer, CLIENT.id, CLIENT.secret, None, "They moved"
        )
        break_glass.reset(make.system_actor("initech"), wanted, public_url="http://localhost")
        initech.get("settings/sign-in", then=302)  # Their sessions ended.
        live = connection("live")
        assert live.issuer == following.issuer and live.named_by_operator
