"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Inbox",
        "Everything that needs you, most urgent first; an item leaves when its work is done.",
        "inbox",
    ),
    Term(
        "Snooze",
        "To hide an inbox item until a time you choose, no later than its deadline.",
    ),
)
