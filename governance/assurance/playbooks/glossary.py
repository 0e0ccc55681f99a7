"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Playbook",
        "A versioned checklist for one kind of incident, whose steps are instructions, links, or"
        " actions that Meridian carries out with the permission of the person who runs it.",
        "playbook playbooks",
    ),
)
