"""The law as data: files with errors are rejected by name; days follow the amended regulation.

Triage gives the classes and duties of the eleven vectors.
"""

import json
from datetime import date

import pytest
from click.testing import CliRunner

from governance.app.cli import main
from governance.kernel.files import yaml_files
from governance.operations.intake import law
from governance.operations.intake.law import FaultyLaw
from governance.operations.intake.triage import triage
from tests.conftest import DATA
from tests.operations.intake.intake_helpers import ANSWERS

NAME = f"ai-act-{law.AMENDED}.yaml"
FOLDER = DATA / "eu-ai-act"
PLAIN = {**ANSWERS, "area": "none", "profiles": "no", "contact": ["none"], "service": "none"}
DAY = date(2026, 12, 2)
has_vectors = pytest.mark.skipif(
    not FOLDER.exists(), reason="the shared vectors of the EU AI Act are not on this machine"
)


def content():
    return yaml_files.read(law.FOLDER / NAME)


def test_both_versions_are_read_and_have_a_digest():
    law.check_files()
    digests = {law.law(version).digest for version in law.VERSIONS}
    assert len(digests) == len(law.VERSIONS)
    assert date(2026, 12, 2) in law.current().days
    assert date(2026, 8, 2) in law.law(law.ORIGINAL).days
    assert date(2027, 12, 2) not in law.law(law.ORIGINAL).days


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda found: found["practices"][2].pop("from"), r"Article 5\(1\)\(ba\) has no day"),
        (lambda found: found["duties"][3].pop("annex_i_from"), "Article 9 has no day"),
        (lambda found: found["duties"].append(found["duties"][3]), "Article 9 is listed twice"),
        (lambda found: found["duties"][3].update({"class": "strange"}), "unknown class “strange”"),
        (lambda found: found["duties"][3].update({"roles": ["owner"]}), "Article 9 has no role"),
    ],
)
def test_a_faulty_file_is_refused_by_name(spoil, message):
    found = content()
    spoil(found)
    with pytest.raises(FaultyLaw, match=message) as refused:
        law.read_law(NAME, found)
    assert NAME in str(refused.value)


def test_the_command_prints_versions_days_and_digests():
    printed = CliRunner().invoke(main, ["law"])
    assert printed.exit_code == 0, printed.output
    for version in law.VERSIONS:
        assert version in printed.output and law.law(version).digest in printed.output
    assert "2027-12-02" in printed.output and "Confirm with counsel." in printed.output


def test_a_practice_is_prohibited_from_its_day_on():
    answers = {**PLAIN, "practices": ["ba"]}
    before, after = (triage(answers, act=law.current(), on=day) for day in (date(2026, 12, 1), DAY))
    assert before.eu_class == after.eu_class == "prohibited"
    assert "will be prohibited on 2 December 2026" in before.eu_reasons[0].text
    assert "will be prohibited" not in after.eu_reasons[0].text
    assert [each.applies_from for each in before.legal_duties] == [DAY]


@has_vectors
def test_the_vectors_of_the_amended_law():
    cases = json.loads((FOLDER / "triage-vectors.json").read_text())
    assert len(cases) == 11
    for case in cases:
        given = {**PLAIN, **case["answers"]}
        if "intimate_safeguards" in given:
            given["safeguards"] = "tested"
        if given.pop("safety_reason", "") == "6(1a)":
            given["safety"] = "convenience"
        placed = date(2026, 5, 1) if "placed_before" in case["answers"] else None
        on = date.fromisoformat(case.get("on", "2026-12-02"))
        found = triage(given, act=law.current(), on=on, placed_on=placed)
        assert found.eu_class in case.get("class", found.eu_class), case["case"]
        cited = {each.source for each in found.eu_reasons}
        assert set(case.get("cites", ())) <= cited, case["case"]
        ours = {each.source: each.applies_from for each in found.legal_duties if each.is_ours}
        for wanted in case.get("duties", ()):
            ref, _, day = wanted.partition(" from ")
            assert f"Article {ref}" in ours, (case["case"], wanted)
            if day:
                assert ours[f"Article {ref}"].isoformat() == day
        assert not {f"Article {each}" for each in case.get("not_duties", ())} & ours.keys()
        if "from" in case:
            of_class = {
                each.applies_from
                for each in found.legal_duties
                if each.is_ours and not each.doubt and each.source != "Article 4"
            }
            assert of_class == {date.fromisoformat(case["from"])}, case["case"]
        if given.get("safeguards"):
            assert "safeguards" in found.open, case["case"]
        if case["case"].startswith("chatbot"):
            [vendors] = [each for each in found.legal_duties if each.source == "Article 50(1)"]
            assert not vendors.is_ours


PUBLIC = {"area": "4", "task": "none", "profiles": "no", "service": "public"}
OF_ANNEX_III = {"26(8)", "26(11)", "27", "86"}


@pytest.mark.parametrize(
    ("changed", "listed"),
    [
        (PUBLIC, OF_ANNEX_III),
        (PUBLIC | {"service": "credit"}, OF_ANNEX_III - {"26(8)"}),
        (PUBLIC | {"service": "none"}, OF_ANNEX_III - {"26(8)", "27"}),
        ({"safety": "yes", "service": "public"}, set()),
        (PUBLIC | {"safety": "yes"}, OF_ANNEX_III),
    ],
)
def test_some_duties_are_of_annex_iii_alone_and_of_public_bodies_or_lenders(changed, listed):
    for version, days in (
        (law.AMENDED, ("2027-12-02", "2028-08-02")),
        (law.ORIGINAL, ("2026-08-02", "2027-08-02")),
    ):
        found = triage(
            {**PLAIN, "role": "both", **changed}, act=law.law(version), on=date(2026, 12, 5)
        )
        duties = {each.source.removeprefix("Article "): each for each in found.legal_duties}
        assert duties.keys() & OF_ANNEX_III == listed
        assert ("49" in duties) == bool(listed)
        assert duties["26(1)"].applies_from.isoformat() == days[not listed]


@has_vectors
def test_days_of_annex_i_and_of_the_former_law_are_those_of_an_outside_catalog():
    outside = {
        each["ref"]: each for each in json.loads((FOLDER / "ids-days-olon.json").read_text())
    }
    for version, suffix in ((law.AMENDED, ""), (law.ORIGINAL, "-original")):
        act, products = law.law(version), outside["Article 6"][f"application-date-annex-i{suffix}"]
        assert act.annex_i_from.isoformat() == products
        for each in act.duties:
            other = outside.get(each.ref, outside["Article 26"] if "26(" in each.ref else None)
            if other is None or each.duty_class != "high_risk" or each.doubt:
                continue
            day = other.get(f"application-date{suffix}", other["application-date"])
            assert each.annex_iii_from.isoformat() == day, (version, each.ref)
            if each.annex_i_from and each.ref not in {"Article 72", "Article 73"}:
                assert each.annex_i_from.isoformat() == products, (version, each.ref)


@has_vectors
def test_each_duty_has_the_day_that_an_outside_catalog_gives_it():
    outside = {
        each["ref"]: each for each in json.loads((FOLDER / "ids-days-olon.json").read_text())
    }
    assert len(outside) == 50
    compared = 0
    for each in law.current().duties:
        if (other := outside.get(each.ref)) is not None and not each.doubt:
            assert each.annex_iii_from.isoformat() == other["application-date"], each.ref
            compared += 1
    for each in law.current().practices.values():
        assert each.applies_from.isoformat() == outside[each.ref]["application-date"], each.ref
    assert compared > 15
