"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Identity provider",
        "The service where your people sign in, for example Okta or Entra ID; Meridian stores no"
        " passwords.",
        "identity_provider sign_in",
    ),
)
