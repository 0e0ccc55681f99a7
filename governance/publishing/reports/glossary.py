"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Report",
        "A signed PDF that shows how far you meet a framework, with the evidence behind each"
        " claim.",
        "report reports report_schedule report_schedules",
    ),
)
