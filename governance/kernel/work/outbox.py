"""Mail: queued in the transaction that caused it, sent by the jobs process after the commit."""

import smtplib
import ssl
from collections.abc import Collection, Generator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy import func, select

from governance.kernel.data.db import session
from governance.kernel.errors import Invalid, Unavailable
from governance.kernel.work import jobs

_domain = "console.example"
_smtp_url: str | None = None
_folder = Path("var/outbox")


def use(smtp_url: str | None, folder: Path, *, domain: str) -> None:
    """Set where mail goes: an SMTP server, or (the demo) files in a folder.

    `domain` is the domain of the sender's address.
    """
    global _smtp_url, _folder, _domain
    _smtp_url, _folder, _domain = smtp_url, folder, domain


def send_mail(to: str, subject: str, body: str, *, unsubscribe: str = "") -> None:
    """Queue a plain-text mail in the current transaction; its subject becomes one line.

    `unsubscribe` is an address at which one POST stops such mail (RFC 8058).
    """
    more: dict[str, Any] = {"unsubscribe": unsubscribe} if unsubscribe else {}
    jobs.enqueue("mail", to=to, subject=" ".join(subject.split()), body=body, **more)


@jobs.work("mail", secret=("body",), waited_for=True)
def deliver(item: jobs.WorkItem, progress: jobs.Progress) -> None:
    progress(0, 1, "Sending")
    message = _letter(item)
    try:
        (
            _into_folder(message, f"{item.id}.eml")
            if _smtp_url is None
            else _by_smtp(message, _smtp_url)
        )
    except smtplib.SMTPRecipientsRefused as error:
        raise Invalid("The mail server rejected this address.") from error
    except (smtplib.SMTPException, OSError) as error:
        raise Unavailable("The mail server is unavailable.") from error


def forget(addresses: Collection[str]) -> int:
    """Delete the mail to these addresses, and cancel what was not sent; return how many."""
    to = func.lower(jobs.WorkItem.params["to"].astext)
    query = select(jobs.WorkItem).where(
        jobs.WorkItem.kind == "mail", to.in_([a.lower() for a in addresses])
    )
    letters = session().scalars(query).all()
    for item in letters:
        jobs.cancel(item)
        item.params = {}
        (_folder / f"{item.id}.eml").unlink(missing_ok=True)
    return len(letters)


def _letter(item: jobs.WorkItem) -> EmailMessage:
    """Return the message of a work item.

    The same work has the same Message-Id, so that a mail sent twice by a crash is recognized as
    one.
    """
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = (
        f"console@{_domain}",
        item.params["to"],
        item.params["subject"],
    )
    message["Message-Id"] = f"<{item.id}@{_domain}>"
    if address := item.params.get("unsubscribe"):
        message["List-Unsubscribe"] = f"<{address}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(item.params["body"])
    return message


def _into_folder(message: EmailMessage, name: str) -> None:
    _folder.mkdir(parents=True, exist_ok=True)
    draft = _folder / f".{name}"
    draft.write_bytes(message.as_bytes())
    draft.replace(_folder / name)


def check_server(address: str) -> None:
    """Greet the mail server and sign in, without sending anything. Raises Unavailable."""
    try:
        with _greeted(address):
            return
    except (smtplib.SMTPException, OSError) as error:
        raise Unavailable(f"The mail server refused: {str(error)[:200]}") from error


def _by_smtp(message: EmailMessage, address: str) -> None:
    with _greeted(address) as server:
        server.send_message(message)


@contextmanager
def _greeted(address: str) -> Generator[smtplib.SMTP]:
    """Connect to the mail server.

    `smtp://` uses TLS when the server offers it; `smtps://` uses it from the start.
    """
    url, context = urlsplit(address), ssl.create_default_context()
    host = url.hostname or ""
    over_tls = url.scheme == "smtps"
    with (
        smtplib.SMTP_SSL(host, url.port or 465, timeout=20, context=context)
        if over_tls
        else smtplib.SMTP(host, url.port or 25, timeout=20)
    ) as server:
        if not over_tls and server.ehlo()[0] and server.has_extn("starttls"):
            server.starttls(context=context)
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        yield server
