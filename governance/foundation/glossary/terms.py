"""Terms that no feature owns."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Activity",
        "What people and programs did, newest first, as the audit log recorded it.",
    ),
    Term(
        "Background work",
        "A task that runs after you start it, such as generating a report, with its progress shown"
        " on the page.",
        "work",
    ),
    Term(
        "Bulk action",
        "One change to all selected rows of a list, previewed before anything is saved.",
    ),
    Term(
        "Compliance officer",
        "The role that runs the program: controls, evidence, assessments, policies and"
        " engagements.",
    ),
    Term(
        "Conclusion",
        "An assessor's judgment of one requirement, with a level and a reason, valid once another"
        " person signs it off.",
    ),
    Term("Contributor", "The role that provides evidence and operates the controls it owns."),
    Term(
        "Coverage",
        "The levels that a framework's requirements have reached, as a percentage of their"
        " targets.",
    ),
    Term(
        "Denied act",
        "A request that Meridian denied, a wrong API key or a forged form, counted in the audit log"
        " once an hour for each person or key and route.",
        "access",
    ),
    Term(
        "Fingerprint",
        "A short hash of exact content; if anything in it changes, so does the fingerprint.",
    ),
    Term(
        "Keys",
        "Where operators see since when each key and certificate is in use, when it is due, and what"
        " replaces it.",
    ),
    Term(
        "Level",
        "How far a requirement is met: 0 not addressed, 1 partial, 2 addressed, 3 evidenced,"
        " 4 effective.",
    ),
    Term(
        "Meridian",
        "The product you are using: it keeps proof of how your organization governs its AI, and"
        " lets your AI systems ask what they may do.",
    ),
    Term(
        "Operator",
        "The organization that runs Meridian for its tenants and sets the platform minimum.",
    ),
    Term(
        "Owner",
        "The member who is responsible for a control, an evidence item or an AI system.",
    ),
    Term(
        "Proven",
        "A requirement at level 3 or above: controls cover it in full, and another person has"
        " accepted all of their evidence.",
    ),
    Term(
        "Pseudonym",
        "The code that represents a person in the audit log, so that their name can be erased"
        " without changing an entry.",
    ),
    Term(
        "Remediation",
        "The work that fixes a finding, reported by its owner and confirmed by a retest.",
    ),
    Term(
        "Retention",
        "How long something is kept before it is deleted or its personal parts are destroyed.",
        "retention",
    ),
    Term(
        "Revision",
        "A numbered later version of a closed statement, which lists what changed and what it does"
        " to the credit; the closed figures before it stay available.",
    ),
    Term(
        "Role",
        "What a member may do in a tenant: tenant admin, compliance officer, contributor, auditor"
        " or viewer.",
    ),
    Term(
        "Scope",
        "What an engagement, an assessment or an API key covers.",
    ),
    Term(
        "Settings",
        "The pages where admins manage members, sign-in, API keys, witnesses, privacy and regional"
        " formats.",
    ),
    Term(
        "Severity",
        "How bad an incident is, from 1, the worst, to 4; agreements promise support times for "
        "each.",
    ),
    Term(
        "Sign-off",
        "A second person's confirmation of an assessment's conclusion.",
    ),
    Term(
        "Slug",
        "A short name in addresses and API calls, in lower case with hyphens.",
    ),
    Term(
        "Status",
        "The current state of something, with the reason always one click away.",
    ),
    Term(
        "Tenant admin",
        "The role that manages members, sign-in, keys and settings, and can do everything a"
        " compliance officer can.",
    ),
    Term("Viewer", "The role that can view the tenant's pages but can't change anything."),
)
