"""Assembled documents: points bound to the record or open, frozen and compared (pure tests)."""

import json

from governance.kernel.record_points import RecordPoint
from governance.publishing.system_documents.assembled import (
    Entry,
    assemble,
    changed_points,
    frozen,
    open_points,
    points_in,
    thawed,
)
from governance.publishing.system_documents.catalogue import KINDS
from governance.publishing.system_documents.record import REQUIREMENTS

FILE = KINDS["technical-file"]
TESTS = RecordPoint(("2.g", "4"), "Accuracy is 0.94.", "Evaluation 12", "x.y", {"id": 3})


def test_the_technical_file_has_nine_sections_and_no_point_twice():
    assert [each.number for each in FILE.sections] == [str(n) for n in range(1, 10)]
    for kind in KINDS.values():
        keys = [each.key for section in kind.sections for each in section.points]
        assert len(keys) == len(set(keys)) and all(kind.points[key].asks for key in keys)


def test_requirements_lead_to_points_that_exist():
    known = {key for kind in KINDS.values() for key in kind.points}
    assert {key for keys in REQUIREMENTS.values() for key in keys} <= known


def test_a_point_without_a_sentence_is_open():
    sections = assemble(FILE, [TESTS], {"8": Entry("It was signed.", "Evidence EV-1")})
    missing = {each.key for each in open_points(sections)}
    assert missing == set(FILE.points) - {"2.g", "4", "8"}
    assert open_points(assemble(FILE, [], {})) == list(FILE.points.values())


def test_a_sentence_stands_at_each_of_its_points_before_those_of_people():
    sections = assemble(FILE, [TESTS], {"4": Entry("It fits.", "Evidence EV-1")})
    said = {each.point.key: [e.source for e in each.entries] for each in points_in(sections)}
    assert said["2.g"] == ["Evaluation 12"] and said["4"] == ["Evaluation 12", "Evidence EV-1"]


def test_points_of_other_documents_are_left_out():
    other = RecordPoint(("B.1",), "Adjusters.", "Register", "x.y", {})
    assert open_points(assemble(FILE, [other], {})) == list(FILE.points.values())


def test_a_frozen_version_reads_the_same_again():
    sections = assemble(FILE, [TESTS], {"8": Entry("It was signed.", "Evidence EV-1")})
    content = json.loads(json.dumps(frozen(sections)))
    assert thawed(FILE, content) == sections
    assert changed_points(thawed(FILE, content), sections) == []


def test_what_the_record_says_otherwise_now_is_named():
    before = assemble(FILE, [TESTS], {})
    now = assemble(FILE, [RecordPoint(("2.g",), "Accuracy is 0.91.", "Evaluation 13", "", {})], {})
    assert [each.key for each in changed_points(before, now)] == ["2.g", "4"]
