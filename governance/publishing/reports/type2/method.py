"""The method and limits of a Type II evidence matrix: labels and paragraphs. Pure."""

from collections.abc import Mapping
from typing import Any

from governance.publishing.reports.ai_rmf.method import LIMITS_LABEL
from governance.publishing.reports.type2.sentences import Matrix
from governance.publishing.reports.wording import instant, many

EXPECTED = (
    "A control with a calendar cadence is expected once in each cycle that ends in the period and"
    " started after the control did. A cycle is performed when accepted evidence or a test covers"
    " it in full or ends in it. It stays due for 14 days after its end; later evidence leaves it"
    " missed. Controls triggered by events are counted from their population."
)
POPULATIONS = (
    "A population is frozen with its query, its parameters, who ran it and when, and the SHA-256 of"
    " its rows: each row as JSON with sorted keys and no spaces, in UTF-8, followed by a line feed."
    " Frozen rows do not change."
)
SAMPLES = (
    "The stated rule sets the sample size; any other size has a reason. Items are ordered by the"
    " SHA-256 of three lines: the seed without spaces, the population's digest, and the item's id."
    " The first ones are drawn. Anyone with the rows can repeat the draw."
)
RESULTS = (
    "Testers check each item for every attribute of its sample. The latest result counts; earlier"
    " results stay on file. A failed item always leads to an exception."
)
FINDINGS = (
    "Only a passed retest closes a finding. The retester must be a different person from the one"
    " who made the fix."
)
LIMITS = (
    "This report is not an auditor's opinion. A sample represents the population it was drawn from"
    " and no other. Whether a population is complete depends on its query, which the report prints."
)


def method(frozen: Mapping[str, Any], say: Matrix) -> list[tuple[str, str]]:
    left = sum(not each["attached"] for each in say.populations)
    rows = (
        f"{many(left, 'population').capitalize()} {'is' if left == 1 else 'are'} too large to"
        " attach; the report prints the digest."
        if left
        else "The rows are attached as CSV files."
    )
    return [
        (
            "Period",
            (
                f"Whole months, {say.span}. The report shows the record as frozen when it was"
                f" requested on {instant(frozen['requested_at'])}. Times are UTC."
            ),
        ),
        ("Expected", EXPECTED),
        ("Populations", f"{POPULATIONS} {rows}"),
        ("Samples", SAMPLES),
        ("Results", RESULTS),
        ("Findings", FINDINGS),
        (LIMITS_LABEL, LIMITS),
    ]
