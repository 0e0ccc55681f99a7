"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "API key",
        "A secret that lets a program call Meridian's API, limited to the scopes and the lifetime"
        " chosen when it was created.",
        "api_key api_keys",
    ),
)
