"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Approval",
        "A second person's consent to a sensitive change, required before the change takes effect.",
        "approval approvals",
    ),
    Term("Approver", "The person who approves or rejects a request; never its requester."),
    Term(
        "Requester",
        "The person who requests a change that needs approval; they can withdraw the request, but"
        " not approve it.",
    ),
)
