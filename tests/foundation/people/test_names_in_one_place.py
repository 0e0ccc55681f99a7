"""One function returns the name of a person for a reader; no page bypasses it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
GOVERNANCE = ROOT / "governance"
# Modules that read names and addresses of people, each with why that is right for any reader.
REAL_NAMES = {
    "foundation/people": "the members' own feature: sign-in, invitations, and names as readers see them",
    "foundation/scim": "what the directory sends and gets back",
    "foundation/privacy": "a person's own data, and its erasure; for who may view members",
    "foundation/approvals/inbox.py": "compares addresses, so that nobody approves their own request",
    "assurance/access_reviews/queries.py": "reviewers read whose access they review; no auditor does",
    "assurance/access_reviews/actions.py": "the mail to the reviewed person",
    "assurance/access_reviews/permissions.py": "compares addresses: nobody reviews their own access",
    "assurance/engagements/auditors/access.py": "finds the auditor's own membership by their address",
    "assurance/engagements/auditors/sign_in.py": "the auditor signs in under their own name",
    "assurance/engagements/auditors/reauthentication.py": "the auditor signs in again",
    "assurance/evidence/permissions.py": "compares addresses: nobody reviews their own upload",
    "assurance/evidence/reminders.py": "the mail to the owner",
    "economics/budgets/alert_actions.py": "the mail to those who look after a budget",
    "foundation/support_access/approval_kinds.py": "compares the operator's address with the approver's",
    "foundation/notifications/actions.py": "the mail to the person",
    "foundation/notifications/digests.py": "the mail to the person",
    "foundation/approvals/queries.py": "the mail that reminds an approver",
    "operations/systems/actions.py": "the owner in the log's encrypted personal field",
    "operations/alerts/deliveries.py": "the mail to the people that an alert calls",
    "publishing/tenant_exports/archive.py": "the tenant's own archive of everything, for its admins",
}
IS_READ = re.compile(
    r"\bPerson\.(name|email)\b|\.person\.(name|email)\b|\bperson\.(name|email)\b|aliased\(Person"
    r"|people\.models import .*\bPerson\b"
)


# Mails that name their sender, each with why no auditor without names gets it.
NAMED_SENDERS = {
    "assurance/engagements/auditors/access.py": "the invitation, if none of their engagements hides names",
    "assurance/playbooks/step_actions.py": "the mail of a playbook, which no auditor gets",
    "foundation/approvals/reminder_actions.py": "the mail to an approver, who is never an auditor",
    "foundation/people/invitation_actions.py": "the invitation of a member; auditors get another",
    "foundation/support_access/actions.py": "the mail to the operator who asked for access",
}
IS_SENDER = re.compile(r"\bactor\(\)\.name\b|\bwho\.name\b")


def _is_listed(path: str) -> bool:
    return any(path == each or path.startswith(f"{each}/") for each in REAL_NAMES)


def test_no_other_module_reads_a_name_of_a_person():
    found = {
        path
        for file in sorted(GOVERNANCE.rglob("*.py"))
        if IS_READ.search(file.read_text())
        and not (path := str(file.relative_to(GOVERNANCE))).startswith("demo/")
    }
    assert sorted(path for path in found if not _is_listed(path)) == []


def test_each_listed_module_still_reads_one():
    """Fail on an unused entry, which would let the next name in."""
    idle = [
        each
        for each in REAL_NAMES
        if not any(
            IS_READ.search(file.read_text())
            for file in (
                (GOVERNANCE / each).rglob("*.py")
                if (GOVERNANCE / each).is_dir()
                else [GOVERNANCE / each]
            )
        )
    ]
    assert idle == []


def test_a_template_shows_what_it_was_given():
    """Allow pages that read a person's row: they are those of members, which no auditor opens."""
    of_members = ("foundation/people/", "foundation/privacy/")
    found = [
        str(file.relative_to(ROOT / "templates"))
        for file in sorted((ROOT / "templates").rglob("*.html"))
        if re.search(r"\.person\.(name|email)", file.read_text())
    ]
    assert [each for each in found if not each.startswith(of_members)] == []


def test_mail_calls_its_sender_what_its_reader_does():
    """Use `aliases.sender_name`: mail is written in its sender's session, which sees every name."""
    found = {
        str(file.relative_to(GOVERNANCE))
        for file in sorted(GOVERNANCE.rglob("*.py"))
        if "send_mail(" in (text := file.read_text()) and IS_SENDER.search(text)
    }
    assert found == set(NAMED_SENDERS)
