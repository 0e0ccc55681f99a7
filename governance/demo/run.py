"""Run the demo: database, identity provider, web, jobs and Acme's own services.

They are child processes on loopback, and none of them outlives the demo.
"""

import contextlib
import json
import os
import shutil
import signal
import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import requests

from governance.app import migrate
from governance.app.settings import from_environment
from governance.assurance.frameworks import sync
from governance.demo import (
    cast,
    credentials,
    directory_story,
    ending,
    journey,
    progress,
    world,
)
from governance.demo.children import child, started
from governance.demo.idp.directory import Client
from governance.demo.idp.serving import configuration
from governance.demo.progress import StoryFailed, StoryProgress
from governance.kernel import clock, config
from governance.kernel.data import embedded

VERSION = 27
CONSOLE = "governance.app.cli"
NOTICE = "GOVERNANCE_NOTICE_FILE"
SERVING = "serving people"
_server: list[Path] = []  # the folder of the embedded PostgreSQL, once it runs
PERSONAS = (
    ("admin@acme.example", "acme", "admin"),
    ("officer@acme.example", "acme", "compliance_officer"),
    ("contributor@acme.example", "acme", "contributor"),
    ("viewer@acme.example", "acme", "viewer"),
    ("jun.chen@acme.example", "acme", "compliance_officer"),
    ("rosa.meyer@acme.example", "acme", "admin"),
    ("auditor@audit.example", "acme", "auditor"),
    ("admin@globex.example", "globex", "admin"),
    ("officer@globex.example", "globex", "compliance_officer"),
    ("operator@console.example", "console", "operator_admin"),
    ("finance@console.example", "console", "operator_finance"),
)


def run(*, once: bool, port: int, data: Path) -> int:
    """Set everything up, then serve until Ctrl-C or SIGTERM. Return the exit code.

    With `once`, generate the report and exit instead.
    """
    if (os.environ.get("GOVERNANCE_PUBLIC_URL") or "http://127.0.0.1").split("://")[1].split(":")[
        0
    ].split("/")[0] not in {
        "127.0.0.1",
        "localhost",
    }:
        raise SystemExit(
            "The demo runs on loopback only: GOVERNANCE_PUBLIC_URL is set to another host."
        )
    data.mkdir(parents=True, exist_ok=True)
    ending.on_signals(_stop)
    try:
        with contextlib.ExitStack() as stack:
            _show(port, data, stack, once=once)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - one sentence, and the rest in a file
        _say(_failure(error, data / "failure.log"))
        return 1
    finally:
        _end()
    return 0


def _show(port: int, data: Path, stack: contextlib.ExitStack, *, once: bool) -> None:
    started = time.monotonic()
    if clock.moved_by():
        _say(f"It is {clock.now():%A, %d %B %Y, %H:%M} UTC here.")
    base = _set_up(port, data, stack, started)
    _say(f"Ready after {time.monotonic() - started:.0f} s: {base}")
    progress.begin("the signed reports")
    journey.make_reports(base, data)
    _say(f"The signed reports are {data / 'ai-rmf-report.pdf'} and {data / 'soc2-type-ii.pdf'}")
    key = json.loads((data / "credentials.json").read_text())["audit_public_key"]["acme"]
    progress.begin("the evidence package")
    taken = journey.take_package(base, data, key)
    _say(
        f"The evidence package that the auditor downloaded is {data / 'engagement-package.zip'}"
        if taken
        else "The auditor's engagement has ended, so there is no evidence package."
    )
    progress.begin("the SLA statement")
    if journey.take_statement(base, data, key):
        _say(
            f"The SLA statement is {data / 'sla-statement.pdf'}, with its data file"
            f" {data / 'sla-statement.json'}"
        )
    progress.begin("the monthly review")
    if journey.take_review(base, data):
        _say(
            f"The monthly review is {data / 'unit-economics-review.pdf'}, with its workbook"
            " (.xlsx) and data file (.json)"
        )
    progress.begin("the export of the audit log")
    journey.export_log(base, data, key)
    _say(
        f"The audit log is {data / 'audit-export.jsonl'}, and a tampered copy is"
        f" {data / 'audit-export-tampered.jsonl'}"
    )
    if once:
        return
    progress.begin("the AI products")
    asked = [base, str(data / "credentials.json")]
    products, log = "governance.demo.products", data / "products.log"
    stack.enter_context(child(products, asked, os.environ, log))
    people = [
        f"  {email:<28} {role.replace('_', ' ')}, {tenant}" for email, tenant, role in PERSONAS
    ]
    _say("\n".join(["", f"  {base}", *people, "", "Press Ctrl-C to stop the demo."]))
    progress.begin(SERVING)
    while True:
        signal.pause()


def _stop(number: int) -> None:
    """Exit at once, from any state of the demo. The exit code is 0 if the demo was ready."""
    with contextlib.suppress(OSError):  # The reader of the output may have ended, too.
        _say("Stopping.")
    _end()
    os._exit(0 if progress.step() == SERVING else 128 + number)


def _end() -> None:
    """End every process, and remove the notice from the sign-in page."""
    ending.end_children(started)
    if _server:
        embedded.stop(_server[0])
    if NOTICE in os.environ:
        Path(os.environ[NOTICE]).unlink(missing_ok=True)


def _failure(error: BaseException, log: Path) -> str:
    """Return the message for the terminal, and write the traceback to the file that it names."""
    log.write_text("".join(traceback.format_exception(error)))
    if isinstance(error, StoryFailed):
        told = str(error)
    else:
        name = "" if isinstance(error, SystemExit) else f"{type(error).__name__}: "
        lines = str(error).strip().splitlines() or ["no reason was given"]
        told = f"{progress.step()}: {name}{lines[0]}"
    return f"The demo failed at {told.rstrip('.')}. The traceback is in {log}."


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the demo speaks to the person who started it


def _set_up(port: int, data: Path, stack: contextlib.ExitStack, started: float) -> str:
    """Set up everything that the demo consists of, and return its address.

    People can sign in long before the story is finished.
    """
    base, idp_base = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"
    services = f"http://127.0.0.1:{port + 3}"
    progress.begin("the start of PostgreSQL")
    environment = _environment(base, data, port)
    settings = from_environment(environment)
    progress.begin("the migrations")
    migrate.upgrade(settings.owner_database_url)
    migrate.move_clock(settings.owner_database_url)
    sync.install_catalogues(settings.owner_database_url)
    progress.begin("the start of the web, the identity provider and Acme's services")
    stack.enter_context(  # It starts while the world is being built.
        child(CONSOLE, ["web", "--port", str(port)], environment, data / "web.log")
    )
    clients = _identity_provider(base, data, port + 1, stack, environment)
    _acme_services(services, data, port + 3, stack, environment)
    marker = data / "world.json"
    is_new = not _is_present(marker, port)
    if is_new:
        progress.begin("the first day of the tenants")
        handed = _tell(settings, base, idp_base, services, data, clients, started)
        (data / "witness.json").unlink(missing_ok=True)
        credentials.keep(data, handed)
        marker.write_text(json.dumps(_world(port)))
    progress.begin("the start of the witness and the jobs")
    _witness(settings, idp_base, data, port + 2, stack, environment)
    stack.enter_context(child(CONSOLE, ["jobs"], environment, data / "jobs.log"))
    _wait_for(f"{base}/readyz", data / "web.log")
    machines = credentials.hand_out(settings, idp_base, data)
    if is_new:
        directory_story.provision(base, machines["api_keys"]["directory"]["key"])
    _credentials(base, idp_base, data, machines)
    return base


def _tell(
    settings: config.Settings,
    base: str,
    idp_base: str,
    services: str,
    data: Path,
    clients: Mapping[str, Client],
    started: float,
) -> dict[str, Any]:
    """Build the world, report progress, and return the keys of the machines."""

    def people_can_sign_in() -> None:
        told_to(cast.days_ago(cast.MONTHS * 30))
        _wait_for(f"{base}/readyz", data / "web.log")
        _say(f"People can sign in after {time.monotonic() - started:.0f} s: {base}")
        _say("Eighteen months of Acme Insurance are being told:")

    with StoryProgress(Path(os.environ[NOTICE]), _say) as told_to:
        return world.build(
            settings,
            idp_base,
            services,
            {slug: (client.id, client.secret) for slug, client in clients.items()},
            people_can_sign_in=people_can_sign_in,
            told_to=told_to,
        )


def _world(port: int) -> dict[str, object]:
    """Return what identifies a world: its version, its day, and the port of its issuers."""
    moved = {"moved_by": int(clock.moved_by().total_seconds())} if clock.moved_by() else {}
    return {"version": VERSION, "day": cast.today().isoformat(), "port": port} | moved


def _is_present(marker: Path, port: int) -> bool:
    return marker.exists() and json.loads(marker.read_text()) == _world(port)


def _environment(base: str, data: Path, port: int) -> dict[str, str]:
    """Return the environment of the demo and its children.

    The demo has its own database and storage, which are created again with the world. An erasure
    list that outlived its database would look like a restore.
    """
    var = data.parent if data.name == "demo" else data
    os.environ.update(
        GOVERNANCE_DEMO="1", GOVERNANCE_PUBLIC_URL=base, GOVERNANCE_VAR=str(var.resolve())
    )
    os.environ.setdefault("GOVERNANCE_SECURITY_CONTACT", "mailto:security@console.example")
    os.environ.setdefault(NOTICE, str((data / "notice.txt").resolve()))
    name = f"demo_{port}"
    marker = data / "world.json"
    stale = not _is_present(marker, port)
    if "GOVERNANCE_STORAGE_URL" not in os.environ:
        objects = var.resolve() / "objects" / name
        if stale:
            shutil.rmtree(objects, ignore_errors=True)
        os.environ["GOVERNANCE_STORAGE_URL"] = f"file:{objects}"
    if "DATABASE_URL" not in os.environ:
        with ending.deferred():
            _server.append(var / "pg")
            server = embedded.start(var / "pg", name)
            if stale:
                embedded.drop(server, name)
                server = embedded.start(var / "pg", name)
            embedded.hasten(server, name)
        os.environ.update(
            DATABASE_URL=server.app_url, GOVERNANCE_OWNER_DATABASE_URL=server.owner_url
        )
    return dict(os.environ)


def _identity_provider(
    base: str, data: Path, port: int, stack: contextlib.ExitStack, environment: dict[str, str]
) -> dict[str, Client]:
    clients = {
        slug: Client(
            "console",
            f"demo-secret-of-{slug}",
            (f"{base}/auth/callback/{slug}",),
            (f"{base}/login",),
            f"{base}/auth/back-channel/{slug}",
            name="Meridian",
        )
        for slug in ("acme", "globex", "console")
    }
    file = data / "idp.json"
    configured = configuration({slug: [client] for slug, client in clients.items()})
    configured["acme"]["people"] = [
        asdict(person) for person in (*cast.ACME_DIRECTORY, *cast.PROVISIONED)
    ]
    file.write_text(json.dumps(configured))
    asked = ["--config", str(file), "--port", str(port)]
    stack.enter_context(child("governance.demo.idp", asked, environment, data / "idp.log"))
    _wait_for(f"http://127.0.0.1:{port}/acme/.well-known/openid-configuration", data / "idp.log")
    return clients


def _acme_services(
    url: str, data: Path, port: int, stack: contextlib.ExitStack, environment: dict[str, str]
) -> None:
    """Start Acme's own services: webhook receivers, an evaluation runner and a Prometheus."""
    asked = ["--port", str(port), "--keys", str(data / "keys.json")]
    log = data / "acme_services.log"
    stack.enter_context(child("governance.demo.acme_services", asked, environment, log))
    _wait_for(url, log)


def _witness(
    settings: config.Settings,
    idp_base: str,
    data: Path,
    port: int,
    stack: contextlib.ExitStack,
    environment: dict[str, str],
) -> None:
    """Start the external witness, here the auditors' firm, and add it to each log."""
    key_file, url = data / "witness.pub", f"http://127.0.0.1:{port}"
    logs = [word for key in credentials.public_keys(settings, idp_base) for word in ("--log", key)]
    asked = ["--port", str(port), "--state", str(data / "witness.json")]
    asked += ["--key-file", str(key_file), *logs]
    stack.enter_context(child("governance.demo.witness", asked, environment, data / "witness.log"))
    _wait_for(url, data / "witness.log", any_answer=True)
    credentials.witness(settings, idp_base, url, key_file.read_text().strip())


def _wait_for(url: str, log: Path, seconds: float = 40, *, any_answer: bool = False) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(requests.RequestException):
            if requests.get(url, timeout=2).ok or any_answer:
                return
        time.sleep(0.1)
    raise SystemExit(
        f"{url} did not respond. The last lines of {log.name}:\n{log.read_text()[-2000:]}"
    )


def _credentials(base: str, idp_base: str, data: Path, machines: dict[str, Any]) -> None:
    personas = [
        {"email": email, "tenant": tenant, "role": role} for email, tenant, role in PERSONAS
    ]
    found = {"base_url": base, "issuer": f"{idp_base}/acme", "personas": personas, **machines}
    (data / "credentials.json").write_text(json.dumps(found, indent=1) + "\n")
