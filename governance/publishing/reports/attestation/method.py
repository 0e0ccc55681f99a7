"""The method and limits of a policy attestation: labels and paragraphs. Pure."""

from collections.abc import Mapping
from typing import Any

from governance.publishing.reports.ai_rmf.method import LIMITS_LABEL
from governance.publishing.reports.attestation.sentences import Attested
from governance.publishing.reports.wording import instant

IN_FORCE = (
    "For each setting, the strictest value of all layers applies: the operator's platform minimum,"
    " the tier, the tenant's overrides, the system's risk class and its own overrides. The report"
    " names the layer whose value applies. Where several lists of models narrow each other, it"
    " names them all."
)
LOOSENING = (
    "A version loosens the policy if any setting of the tenant's own layers becomes weaker for any"
    " system, even where the platform minimum hides it today. Loosening needs a reason and a second"
    " person, whose approval is bound to the digest of exactly that change. Tightening needs one"
    " person."
)
WAIVERS = (
    "A waiver lets one setting of one system go below the platform minimum for at most 30 days,"
    " with a compensating measure. One person requests it and two others approve it."
)
CONFIRMED = (
    "The expected consumers are those that called the decision API on the day before the stop. A"
    " consumer has confirmed when it first receives an answer with the stop in it. The time runs"
    " from the click to that answer, so a consumer that calls rarely looks slow without being"
    " unsafe."
)
LIMITS = (
    "The report shows what Meridian required and answered, not what each product did with the"
    " answer. The values are those of the decision API; a product that does not call it is not"
    " governed by it."
)


def method(frozen: Mapping[str, Any], say: Attested) -> list[tuple[str, str]]:
    most = say.strictness(say.now[0]["end"]).most
    return [
        (
            "Time",
            (
                f"The report shows the record {say.span}; days start and end at midnight UTC, and"
                " times are UTC. Later entries are not included. The data was frozen when the"
                f" report was requested on {instant(frozen['requested_at'])}."
            ),
        ),
        ("In force", IN_FORCE),
        (
            "Steps",
            (
                "A setting with levels counts one step for each level above its most permissive"
                f" one; {most} steps are possible. Numbers and lists have no steps. Use the count"
                " to compare a policy with itself: a step in one setting is not worth a step in"
                " another."
            ),
        ),
        ("Loosening", LOOSENING),
        ("Waivers", WAIVERS),
        ("Confirmed", CONFIRMED),
        (
            "Proven",
            (
                "A switch is proven if its last drill passed within"
                f" {frozen['proven_for']} days of the end date. A drill of a whole system also"
                " proves its features; a drill of a feature proves only that feature."
            ),
        ),
        (LIMITS_LABEL, LIMITS),
    ]
