"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Comment",
        "A remark on a control, an evidence item, a risk, an exception or a finding that members"
        " can read and auditors can't.",
        "comment comments",
    ),
    Term(
        "Mention",
        "A person's address after @ in a comment; the person is notified.",
    ),
)
