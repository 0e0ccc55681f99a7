"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Alert",
        "A notice that an objective spends its error budget too fast; one burst is one alert, which"
        " people acknowledge and which resolves when the burn stops.",
        "alert alerts budget",
    ),
)
