"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Provisioning",
        "Keeping members in step with the company's directory: it creates users over SCIM, puts"
        " them in groups that may give a role, and takes access away when someone leaves.",
        "scim provisioning",
    ),
)
