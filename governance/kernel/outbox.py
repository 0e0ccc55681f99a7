"""Mail leaves after the commit, by the jobs process: queued in the transaction that caused it."""

import smtplib
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

from governance.kernel import jobs

SENDER = "console@governance.example"
_smtp_url: str | None = None
_folder = Path("var/outbox")


def use(smtp_url: str | None, folder: Path) -> None:
    """Where mail goes: an SMTP server, or (the demo) files in a folder."""
    global _smtp_url, _folder  # noqa: PLW0603 - one process, one way out
    _smtp_url, _folder = smtp_url, folder


def send_mail(to: str, subject: str, body: str) -> None:
    """Queue a plain-text mail in the present transaction."""
    jobs.enqueue("mail", to=to, subject=subject, body=body)


@jobs.work("mail")
def deliver(item: jobs.WorkItem, progress: jobs.Progress) -> None:
    progress(0, 1, "Sending")
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, item.params["to"], item.params["subject"]
    message["Message-Id"] = f"<{item.id}@governance.example>"
    message.set_content(item.params["body"])
    if _smtp_url is None:
        _folder.mkdir(parents=True, exist_ok=True)
        (_folder / f"{item.id}.eml").write_bytes(message.as_bytes())
        return
    url = urlsplit(_smtp_url)
    kind = smtplib.SMTP_SSL if url.scheme == "smtps" else smtplib.SMTP
    with kind(url.hostname or "", url.port or 25, timeout=20) as server:
        if url.username:
            server.login(url.username, url.password or "")
        server.send_message(message)
