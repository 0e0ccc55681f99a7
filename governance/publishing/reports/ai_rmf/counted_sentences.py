"""The base of an AI RMF report's sentences: the snapshot, its figures, and shares of them."""

from governance.publishing.reports.ai_rmf.figures import figures
from governance.publishing.reports.ai_rmf.ranking import failed_refs
from governance.publishing.reports.ai_rmf.snapshot import Category, Snapshot, requirements
from governance.publishing.reports.wording import capital, is_, many, out_of


class CountedSentences:
    """A snapshot with its figures. The sentences of a section are properties of a subclass."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.figures = figures(snapshot)
        self.by_ref = {row["ref"]: row for row in requirements(snapshot)}
        self.failed_refs = failed_refs(snapshot)

    def categories(self, key: str) -> list[Category]:
        """Return the categories of a function."""
        return next(each["categories"] for each in self.snapshot["functions"] if each["key"] == key)

    def furthest_category(self, key: str) -> tuple[Category, int]:
        """Return the category of a function with the most points missing, and their number."""
        pairs = [
            (each, self.figures.by_category[each["ref"]].left) for each in self.categories(key)
        ]
        return max(pairs, key=lambda pair: pair[1])

    def graded_functions(self) -> list[tuple[str, int]]:
        """Return the functions that have a target, with their coverage in percent, best first."""
        graded = [
            (key, each.coverage)
            for key, each in self.figures.by_function.items()
            if each.coverage is not None
        ]
        return sorted(graded, key=lambda pair: -pair[1])

    def share_of_missing(self, points: int) -> str:
        """Return "14 of the 20 missing points" or "all eight missing points"."""
        left = self.figures.whole.left
        if points != left:
            return out_of(points, left, "missing point").replace(" of ", " of the ", 1)
        return "the one missing point" if left == 1 else f"all {many(left, 'missing point')}"


def are_proven(part: int, whole: int) -> str:
    """Return "45 of 72 requirements are proven"."""
    if whole == 1:
        return f"The one requirement is {'' if part else 'not '}proven"
    return f"{capital(out_of(part, whole, 'requirement'))} {is_(part)} proven"
