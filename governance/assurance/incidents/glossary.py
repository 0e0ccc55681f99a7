"""Glossary terms of incidents."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Impact window",
        "From when to when an incident affected an AI system; it attributes lost minutes to the "
        "incident and never changes counts.",
    ),
    Term(
        "Incident",
        "Something that harmed people or what was promised to a customer, run on one page with "
        "its timeline, clocks, customer updates and review.",
        "incident incidents",
    ),
    Term(
        "Post-incident review",
        "What a team writes down after an incident: what happened, its impact, what "
        "contributed, what went well and what to change; closed, it becomes evidence.",
    ),
    Term(
        "Status page",
        "A private page of a tenant for its members and named contacts: incidents that affect "
        "it, the state of its objectives, and maintenance.",
        "status",
    ),
    Term(
        "Statutory clock",
        "The time within which a law asks for a notice after an incident, counted from when "
        "somebody became aware of it.",
    ),
)
