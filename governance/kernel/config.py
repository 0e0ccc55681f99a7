"""Settings from the environment, read once.

Outside the demo a missing or weak value stops the start, by name.
"""

import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from governance.kernel import clock
from governance.kernel.client_address import Network, networks
from governance.kernel.feature_settings import Setting
from governance.kernel.setting_names import unknown_names

PREVIOUS_KEK_VARIABLE = "GOVERNANCE_KEK_PREVIOUS_FILE"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
POSTGRESQL = {"postgres", "postgresql", "postgresql+psycopg"}
MAIL = {"smtp", "smtps"}
KEY_BYTES, MIN_DIFFERENT_BYTES = 32, 12  # 256 bits, and not one repeated letter
TEXT = re.compile(rb"[0-9A-Fa-f\s]+")  # Hexadecimal: half of the bits are missing.
CONTACT = re.compile(r"(mailto:|https://|tel:)[!-~]{3,200}")


class SettingsError(SystemExit):
    """The start fails; the text names each setting that is missing or weak."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of the environment. URLs are SQLAlchemy URLs; keys are raw bytes."""

    database_url: str
    owner_database_url: str
    secret_key: bytes
    kek: bytes
    public_url: str
    storage_url: str
    smtp_url: str | None
    var: Path
    demo: bool
    product: str = "Meridian"
    metrics_token: str | None = None
    previous_kek: bytes | None = None  # Set while the installation's key is being rotated.
    follows: bool = False  # A server's worker keeps decisions in memory and listens for changes.
    workers: int = 1  # Web processes that share a key's rate.
    trusted_proxies: tuple[Network, ...] = ()  # Networks that may name the sender of a request.
    private_networks: tuple[
        Network, ...
    ] = ()  # Origins of identity providers that the operator named.
    security_contact: str | None = None  # The contact in /.well-known/security.txt.
    notice: Path | None = None  # A file whose sentence the sign-in page shows while it exists.
    # Texts of the settings that are set, by name.
    of_features: Mapping[str, str] = field(default_factory=dict)

    @property
    def secure(self) -> bool:
        return self.public_url.startswith("https:")

    @property
    def host(self) -> str:
        return urlsplit(self.public_url).hostname or ""

    @property
    def domain(self) -> str:
        """The name of this installation in mail and signatures: its host.

        On loopback it is a name that nobody owns.
        """
        return "console.example" if self.host in LOOPBACK | {""} else self.host


def public_address(environ: Mapping[str, str] = os.environ) -> str:
    """Return the address where people reach Meridian, without a slash at the end."""
    return environ.get("GOVERNANCE_PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")


def from_environment(
    environ: Mapping[str, str] = os.environ, brought: Sequence[Setting] = ()
) -> Settings:
    """Read the settings, including those that features add.

    In the demo the keys are in var/, and with DATABASE_URL unset an embedded PostgreSQL is started.
    """
    var = Path(environ.get("GOVERNANCE_VAR", "var")).resolve()
    demo = environ.get("GOVERNANCE_DEMO") == "1"
    public_url = public_address(environ)
    of_features = {each.name: environ[each.name] for each in brought if environ.get(each.name)}
    problems = [*unknown_names(environ, [each.name for each in brought])]
    problems += [
        f"{each.name} {problem}"
        for each in brought
        if each.name in of_features and (problem := each.problem(of_features[each.name]))
    ]
    if not demo:
        problems += [*_unset(environ), *_weak_url(public_url)]
    secret = _key(environ, "GOVERNANCE_SECRET_KEY_FILE", var / "secret.key", demo, problems)
    kek = _key(environ, "GOVERNANCE_KEK_FILE", var / "kek.key", demo, problems)
    previous = (
        _key(environ, PREVIOUS_KEK_VARIABLE, var, False, problems)
        if PREVIOUS_KEK_VARIABLE in environ
        else b""
    )
    if kek and previous[:32] == kek[:32]:
        problems.append(
            f"{PREVIOUS_KEK_VARIABLE} is the same key as GOVERNANCE_KEK_FILE: name the previous"
            " key, or leave it unset"
        )
    if kek and kek[:32] == secret[:32]:
        problems.append(
            "GOVERNANCE_KEK_FILE and GOVERNANCE_SECRET_KEY_FILE must be two different keys"
        )
    problems += [
        f"{name} isn't a PostgreSQL address such as postgresql://user@host/name"
        for name in ("DATABASE_URL", "GOVERNANCE_OWNER_DATABASE_URL")
        if environ.get(name) and _scheme(environ[name]) not in POSTGRESQL
    ]
    workers = environ.get("GOVERNANCE_WEB_WORKERS", "1")
    if not (workers.isdecimal() and int(workers)):
        problems.append("GOVERNANCE_WEB_WORKERS must be a number of processes, at least 1")
    problems += _wrong_servers(environ)
    trusted_proxies = _networks(environ, "GOVERNANCE_TRUSTED_PROXIES", problems)
    private_networks = _networks(environ, "GOVERNANCE_PRIVATE_NETWORKS", problems)
    if environ.get(clock.MOVED_BY) and not (demo and urlsplit(public_url).hostname in LOOPBACK):
        problems.append(f"{clock.MOVED_BY} is for the demo and tests: only they may move the clock")
    contact = environ.get("GOVERNANCE_SECURITY_CONTACT") or None
    if contact and not CONTACT.fullmatch(contact):
        problems.append("GOVERNANCE_SECURITY_CONTACT must begin with mailto:, https:// or tel:")
    notice = environ.get("GOVERNANCE_NOTICE_FILE")
    if problems:
        raise SettingsError("Meridian can't start:\n  " + "\n  ".join(problems))
    url, owner_url = _database(environ, var)
    return Settings(
        database_url=url,
        owner_database_url=owner_url,
        secret_key=secret,
        kek=kek[:32],
        public_url=public_url,
        storage_url=environ.get("GOVERNANCE_STORAGE_URL", f"file:{var / 'objects'}"),
        smtp_url=environ.get("GOVERNANCE_SMTP_URL") or None,
        var=var,
        demo=demo,
        product=environ.get("GOVERNANCE_PRODUCT", "Meridian"),
        metrics_token=environ.get("GOVERNANCE_METRICS_TOKEN") or None,
        previous_kek=previous[:32] or None,
        follows=True,
        workers=int(workers),
        trusted_proxies=trusted_proxies,
        private_networks=private_networks,
        security_contact=contact,
        notice=Path(notice) if notice else None,
        of_features=of_features,
    )


def _wrong_servers(environ: Mapping[str, str]) -> list[str]:
    """Return a sentence for each address of another server that isn't valid."""
    found = []
    smtp_url = environ.get("GOVERNANCE_SMTP_URL")
    if smtp_url and not (_scheme(smtp_url) in MAIL and urlsplit(smtp_url).hostname):
        found.append(
            "GOVERNANCE_SMTP_URL isn't an address of a mail server such as"
            " smtp://user:password@host:587"
        )
    return found


def _unset(environ: Mapping[str, str]) -> list[str]:
    """Return a sentence for each unset address that only the demo chooses by itself."""
    needed = {
        "DATABASE_URL": "name your PostgreSQL, such as postgresql://governance_app@host/governance",
        "GOVERNANCE_PUBLIC_URL": "name the address in the browser, such as https://meridian.example",
    }
    return [f"{name} is not set: {what}" for name, what in needed.items() if not environ.get(name)]


def _scheme(url: str) -> str:
    return url.partition("://")[0] if "://" in url else ""


def _networks(environ: Mapping[str, str], name: str, problems: list[str]) -> tuple[Network, ...]:
    try:
        return networks(environ.get(name, ""))
    except ValueError:
        problems.append(
            f"{name} must be networks such as 10.0.0.0/8, 127.0.0.1, separated by commas"
        )
        return ()


def _database(environ: Mapping[str, str], var: Path) -> tuple[str, str]:
    url = environ.get("DATABASE_URL")
    if url:
        return _psycopg(url), _psycopg(environ.get("GOVERNANCE_OWNER_DATABASE_URL", url))
    from governance.kernel.data import embedded  # noqa: PLC0415 - with its own server only

    server = embedded.start(var / "pg")
    return server.app_url, server.owner_url


def _psycopg(url: str) -> str:
    scheme, rest = url.split("://", 1)
    return f"postgresql+psycopg://{rest}" if scheme in {"postgres", "postgresql"} else url


def _weak_url(public_url: str) -> list[str]:
    parts = urlsplit(public_url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        return ["GOVERNANCE_PUBLIC_URL must begin with https:// (or be a loopback address)"]
    if parts.path or parts.query or parts.fragment:
        return [
            (
                f"GOVERNANCE_PUBLIC_URL must end after the host: {public_url} has more. Serve Meridian"
                " at the root of a host name of its own"
            )
        ]
    return []


def _key(
    environ: Mapping[str, str],
    name: str,
    fallback: Path,
    lenient: bool,  # noqa: FBT001
    problems: list[str],
) -> bytes:
    path = Path(environ[name]) if name in environ else fallback if lenient else None
    if path is None:
        problems.append(f"{name} is not set: name a file with at least 32 random bytes")
        return b""
    if not path.exists() and lenient:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
    try:
        content = path.read_bytes() if path.is_file() else b""
    except OSError as error:
        problems.append(f"{name} ({path}) can't be read: {error.strerror}")
        return b""
    problems += [f"{name} ({path}) {why}" for why in _weakness(path, content)]
    return content


def _weakness(path: Path, content: bytes) -> list[str]:
    """Return what is wrong with a key file: nothing, or one sentence."""
    if not path.is_file():
        return ["doesn't exist"]
    if len(content) < KEY_BYTES:
        return [f"is {len(content)} bytes long and must have at least {KEY_BYTES}"]
    if TEXT.fullmatch(content):
        return ["is text and must be raw random bytes, as from head -c 32 /dev/urandom"]
    if len(set(content)) < MIN_DIFFERENT_BYTES:
        return ["is not random"]
    return []
