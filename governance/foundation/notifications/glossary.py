"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Digest",
        "One email a day with the notifications of the day, at the hour that you choose.",
        "digest",
    ),
    Term(
        "Notification",
        "Something that happened and concerns you, such as a mention; what needs you is in the"
        " inbox.",
        "notification notifications",
    ),
)
