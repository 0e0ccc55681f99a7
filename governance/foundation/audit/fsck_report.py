"""The findings of the check of a log."""

from dataclasses import dataclass, field

from governance.kernel.formatting import plural

MAX_FINDINGS = 50


@dataclass(frozen=True, slots=True)
class LogFault:
    """One finding: `what` is entry, place, tile, head, key or checkpoint; `number` is its index."""

    what: str
    number: int
    sentence: str


@dataclass(slots=True)
class FsckReport:
    """The number of entries read and checkpoints compared, and at most MAX_FINDINGS findings.

    The findings are in the order of reading.
    """

    entries: int = 0
    checkpoints: int = 0
    findings: list[LogFault] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.findings

    @property
    def sentence(self) -> str:
        read = (
            f"{plural(self.entries, 'entry', 'entries')} and"
            f" {plural(self.checkpoints, 'checkpoint')}"
        )
        if self.ok:
            return f"{read} verified, no damage found."
        more = " or more" if len(self.findings) == MAX_FINDINGS else ""
        return f"{plural(len(self.findings), 'finding')}{more} in {read}."

    def find(self, what: str, number: int, sentence: str) -> None:
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(LogFault(what, number, sentence))
