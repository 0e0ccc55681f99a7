"""The order of Acme's proof: evidence is accepted, then tested, then concluded upon."""

import random
from uuid import UUID

import pytest

from governance.demo import acme
from governance.demo.acme_assessments import CONCLUDED


class Parts:
    """A stand-in for the people of the story, whose identity is irrelevant here."""

    def id(self, _part: str) -> UUID:
        return UUID(int=0)


@pytest.fixture
def planned():
    """Return the adopted controls, and how many days ago each was last tested."""
    held = acme.AdoptedControls({}, {}, {})
    list(acme._adoptions(Parts(), held))
    list(acme._evidence_events(Parts(), random.Random(acme.SEED), held))
    untested = acme.UNTESTED | acme.NO_EVIDENCE | acme.LATE | acme.TESTED_BY_SAMPLES
    refs = sorted(held.since)
    days = {ref: acme._last_test(ref, n, held) for n, ref in enumerate(refs) if ref not in untested}
    return held, days


def test_all_controls_but_one_are_tested_once_their_evidence_is_accepted(planned):
    held, tested = planned
    early = {ref for ref, days in tested.items() if days >= held.accepted[ref]}
    assert early == acme.TESTED_EARLY


def test_all_controls_but_one_are_tested_before_the_conclusion(planned):
    _, tested = planned
    assert {ref for ref, days in tested.items() if days <= CONCLUDED} == acme.TESTED_LATE


def test_all_evidence_but_that_of_one_control_is_accepted_before_the_conclusion(planned):
    held, _ = planned
    late = {ref for ref, days in held.accepted.items() if days <= CONCLUDED}
    assert late == acme.ACCEPTED_LATE


def test_what_samples_test_was_accepted_before_the_samples(planned):
    held, _ = planned
    assert {held.accepted[ref] > 20 for ref in acme.TESTED_BY_SAMPLES} == {True}


def test_files_are_of_the_kinds_that_a_preview_shows():
    from governance.assurance.evidence.file_types import find_type
    from governance.assurance.previews.rendering import why_not

    titles = {title for control in acme.starter_pack.pack() for title in control.evidence}
    kinds = set()
    for title in titles:
        ending, content = acme.evidence_file(title, (acme.date(2026, 7, 1), acme.date(2026, 9, 30)))
        found = find_type(acme.io.BytesIO(content), f"file.{ending}")
        assert not why_not(found.type, len(content))
        kinds.add(ending)
    assert kinds == {"pdf", "png", "xlsx", "csv"}
