"""The sentences of a statement, for its page and its PDF. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from governance.operations.agreements.money import money
from governance.publishing.reports.wording import listed
from governance.publishing.statements import figures
from governance.publishing.statements.statement_calculation import MISSED


@dataclass(frozen=True, slots=True)
class Conclusions:
    """The conclusions about the `facts` and `result` of one revision."""

    facts: Mapping[str, Any]
    result: Mapping[str, Any]

    @property
    def month(self) -> str:
        return figures.month_name(self.facts["month"])

    @property
    def credit(self) -> str:
        return money(self.result["credit"], self.result["currency"])

    @property
    def customer(self) -> str:
        return str(self.facts["agreement"]["counterparty"])

    @property
    def commitments(self) -> str:
        """Return a sentence such as "Two of five commitments were missed"."""
        total, missed = self.result["commitments"], self.result["missed"]
        if not missed:
            unsure = self.result["not_determinable"]
            if unsure:
                return f"{figures.word(unsure).capitalize()} of {figures.word(total)} can't be determined"
            return (
                f"All {figures.word(total)} commitments were met"
                if total > 1
                else "The commitment was met"
            )
        if total == 1:
            return "The commitment was missed"
        verb = "was" if missed == 1 else "were"
        return f"{figures.word(missed).capitalize()} of {figures.word(total)} commitments {verb} missed"

    @property
    def title(self) -> str:
        """Return "Two promises were missed in October; Acme Insurance is owed €760.00"."""
        missed = self.result["missed"]
        if not missed:
            return f"No promise was missed in {self.month}; no credit is due"
        what = f"{figures.word(missed).capitalize()} promise{'s were' if missed > 1 else ' was'}"
        owed = (
            f"{self.customer} is owed {self.credit}"
            if self.result["credit"]
            else "no credit is due"
        )
        return f"{what} missed in {self.month}; {owed}"

    @property
    def lede(self) -> str:
        """Return two or three sentences on what was missed and what couldn't be determined."""
        missed = [each for each in self.result["lines"] if each["result"] == MISSED]
        said = [
            f"{each['commitment']} attained {figures.attained(each)} against a promise of"
            f" {figures.promised(each)}"
            for each in missed
        ]
        parts = [f"{listed(said)}."] if said else []
        unsure = self.result["not_determinable"]
        if unsure:
            verb = "commitment has" if unsure == 1 else "commitments have"
            parts.append(
                f"{figures.word(unsure).capitalize()} {verb} too little data to be determined."
            )
        if self.result["met"]:
            what = "All other promises" if parts else "All promises"
            parts.append(f"{what} were kept.")
        if self.result["over_cap"]:
            parts.append("The credit reached its cap.")
        return " ".join(parts)
