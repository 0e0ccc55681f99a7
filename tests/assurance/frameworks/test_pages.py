"""Frameworks' list, adoption, versions, crosswalk and operator page; and their queries."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import create_engine, func, select, text

from governance.assurance.frameworks import (
    catalogue,
    crosswalk_queries,
    crosswalks,
    published_counts,
    queries,
    sync,
)
from governance.assurance.frameworks.models import Adoption, Framework, Requirement
from governance.foundation.audit.models import AuditEntry
from governance.kernel.data.db import session
from governance.kernel.errors import NotFound
from tests.assurance.frameworks.framework_files import (
    RMF,
    confirm_import,
    main_text,
    oscal_catalog,
    preview_fields,
    upload_framework_file,
)

KEYS = ("nist-ai-rmf-1.0", "nist-ai-600-1", "owasp-llm-2025", "owasp-llm-2026", "soc2-tsc-2017")


# ---- the list


def test_the_list_is_read_with_one_statement(as_viewer, statements):
    as_viewer.get("frameworks/")
    with statements() as seen:
        reply = as_viewer.get("frameworks/")
    about = [s for s in seen if "frameworks" in s or "adoptions" in s or "official_texts" in s]
    assert len(about) == 1, about
    assert "No framework adopted yet" in reply.text


def test_the_list_says_whose_words_they_are_and_counts(as_viewer):
    text = main_text(as_viewer.get("frameworks/"))
    assert "Ids are the publisher's; short titles and outcomes are Meridian's." in text
    for count in (
        "72 to assess 95 with their groups",
        "212 to assess 224",
        "61 to assess 81",
        "10 to assess",
    ):
        assert count in text, count


def test_the_list_says_what_the_tenant_did(as_officer):
    as_officer.post(f"frameworks/{RMF}/adopt")
    confirm_import(
        as_officer,
        preview_fields(
            upload_framework_file(
                as_officer, oscal_catalog({"MAP 1.1": "First.", "MAP 1.2": "Second."})
            )
        ),
    )
    text = main_text(as_officer.get("frameworks/"))
    assert "1 of 5 frameworks adopted, official texts imported for 1" in text
    assert "2 texts on 2 ids 1 file" in text


# ---- adopting


def test_adopting_is_recorded_once_however_often_it_is_sent(as_admin, acting):
    first = as_admin.post(f"frameworks/{RMF}/adopt")
    assert first.location.endswith(f"/frameworks/{RMF}/versions")
    as_admin.post(f"frameworks/{RMF}/adopt")
    with acting("admin", read_only=True):
        assert session().scalar(select(func.count()).select_from(Adoption)) == 1
        entries = (
            session()
            .scalars(select(AuditEntry).where(AuditEntry.action == "framework.adopted"))
            .all()
        )
        assert [e.facts["key"] for e in entries] == [RMF]


def test_a_framework_can_be_adopted_by_its_key(acting):
    from governance.assurance.frameworks import actions

    with acting("compliance_officer"):
        assert actions.adopt_framework(RMF).framework_id == queries.framework(RMF).id


def test_an_adoption_is_the_tenants_own(as_officer, as_neighbour):
    as_officer.post(f"frameworks/{RMF}/adopt")
    assert "No framework adopted yet" in as_neighbour.get("frameworks/").text


def test_the_verb_to_adopt_goes_away_and_the_timeline_says_who(as_officer, as_auditor):
    as_officer.post(f"frameworks/{RMF}/adopt")
    reply = as_officer.get(f"frameworks/{RMF}/versions")
    assert "/adopt" not in reply.text and "Ines Duarte adopted a framework" in main_text(reply)
    assert "Ines Duarte" not in main_text(as_auditor.get(f"frameworks/{RMF}/versions"))


def test_an_unknown_framework_cannot_be_adopted(as_officer):
    as_officer.post("frameworks/iso-42001/adopt", then=404)


# ---- versions


@pytest.mark.parametrize("key", KEYS)
def test_a_frameworks_page_shows_its_digest_and_that_every_count_is_as_published(as_viewer, key):
    reply = as_viewer.get(f"frameworks/{key}/versions")
    text = main_text(reply)
    assert catalogue.catalogue_digest(catalogue.load_catalogue(key)) in reply.text
    assert (
        "All counts match the publication" in text
        and "Matches the catalogue built into this version" in text
    )
    assert "No official texts yet" in text


def test_the_functions_are_counted_one_by_one(as_viewer):
    text = main_text(as_viewer.get(f"frameworks/{RMF}/versions"))
    for row in (
        "Subcategories 72 72",
        "GOVERN 19 19",
        "MAP 18 18",
        "MEASURE 22 22",
        "MANAGE 13 13",
    ):
        assert row in text


def test_a_count_that_differs_is_told():
    nodes = [
        each for each in catalogue.load_catalogue(RMF).requirements if each.ref != "MEASURE 2.13"
    ]
    wrong = [each for each in published_counts.counts(RMF, nodes) if not each.agrees]
    assert [(each.what, each.pinned, each.installed) for each in wrong] == [
        ("Subcategories", 72, 71),
        ("MEASURE", 22, 21),
    ]


def test_the_page_costs_the_same_with_many_imports(as_officer, statements):
    def cost() -> int:
        with statements() as seen:
            as_officer.get(f"frameworks/{RMF}/versions")
        return len(seen)

    for number in range(2):
        confirm_import(
            as_officer,
            preview_fields(
                upload_framework_file(as_officer, oscal_catalog({"MAP 1.1": f"Number {number}."}))
            ),
        )
    few = cost()
    for number in range(2, 8):
        confirm_import(
            as_officer,
            preview_fields(
                upload_framework_file(as_officer, oscal_catalog({"MAP 1.1": f"Number {number}."}))
            ),
        )
    assert cost() == few


# ---- the crosswalk


@pytest.mark.parametrize("key", KEYS)
def test_the_crosswalk_is_typed_reasoned_and_says_that_it_is_ours(as_viewer, key):
    reply = as_viewer.get(f"frameworks/{key}/crosswalk")
    text = main_text(reply)
    assert (
        "NIST IR 8477" in text
        and "Meridian assessed these links" in text
        and "never counts as met" in text
    )
    rows = BeautifulSoup(reply.text, "html.parser").select("tbody tr")
    assert len(rows) == len(crosswalks.across(key)) > 0
    assert {
        row.find(attrs={"data-label": "relationship"}).get_text(strip=True) for row in rows
    } <= set(crosswalks.WORDS.values())
    assert all(row.find(attrs={"data-label": "reason"}).get_text(strip=True) for row in rows)


def test_derived_links_are_apart_and_marked(as_viewer):
    reply = as_viewer.get(f"frameworks/{RMF}/crosswalk?kind=derived")
    rows = BeautifulSoup(reply.text, "html.parser").select("tbody tr")
    assert rows and all(
        "derived" in row.find(attrs={"data-label": "origin"}).get_text() for row in rows
    )
    assert all("through" in row.get_text() for row in rows)


def test_the_crosswalks_filters_live_in_the_address(as_viewer):
    reply = as_viewer.get(f"frameworks/{RMF}/crosswalk?to=soc2-tsc-2017&q=CC7")
    rows = BeautifulSoup(reply.text, "html.parser").select("tbody tr")
    assert rows and all("SOC 2" in row.get_text() and "CC7" in row.get_text() for row in rows)
    assert "Remove the filter To: SOC 2" in reply.text
    assert "No links match" in as_viewer.get(f"frameworks/{RMF}/crosswalk?q=zzz%3Cscript%3E").text


def test_the_crosswalk_needs_no_statement_of_its_own(as_viewer, statements):
    as_viewer.get("frameworks/")
    with statements() as seen:
        as_viewer.get(f"frameworks/{RMF}/crosswalk?kind=derived")
    assert not [s for s in seen if "requirements" in s or "frameworks" in s]


def test_a_link_reads_the_other_way_round_from_the_other_end():
    for link in crosswalks.across(RMF):
        back = [
            each
            for each in crosswalks.direct(link.to_key, link.to_ref)
            if (each.to_key, each.to_ref) == (RMF, link.ref)
        ]
        assert [each.relationship for each in back] == [crosswalks.TURNED[link.relationship]]


def test_a_derived_link_is_as_weak_as_its_weaker_hop_and_never_stands_beside_a_judged_one():
    for key in KEYS:
        for node in catalogue.load_catalogue(key).requirements:
            first = crosswalks.direct(key, node.ref)
            for link in crosswalks.derived(key, node.ref):
                assert link.derived and link.via and link.to_key != key
                assert (link.to_key, link.to_ref) not in {
                    (each.to_key, each.to_ref) for each in first
                }
                hop = next(each for each in first if (each.to_key, each.to_ref) == link.via)
                assert link.strength <= hop.strength
                if link.relationship == "equal":
                    assert hop.relationship == "equal"


@pytest.mark.parametrize(
    ("one", "two", "both"),
    [
        ("equal", "subset_of", "subset_of"),
        ("superset_of", "equal", "superset_of"),
        ("equal", "equal", "equal"),
        ("subset_of", "subset_of", "subset_of"),
        ("subset_of", "superset_of", "intersects"),
        ("intersects", "subset_of", "intersects"),
        ("intersects", "intersects", "intersects"),
        ("equal", "intersects", "intersects"),
    ],
)
def test_two_hops_say_no_more_than_the_weaker_one(one, two, both):
    assert crosswalks.weakest(one, two) == both


# ---- queries of other features


def test_a_requirement_is_found_by_its_ref_as_written_and_as_in_an_address(acting):
    with acting("viewer", read_only=True):
        assert queries.requirement(RMF, "MEASURE 2.7") == queries.requirement(RMF, "MEASURE-2.7")
        assert queries.requirement("nist-ai-600-1", "GV-1.3-005").ref == "GV-1.3-005"
        assert queries.requirement("owasp-llm-2025", "LLM06:2025").title == "Excessive Agency"
        with pytest.raises(NotFound):
            queries.requirement(RMF, "MEASURE-2.14")


def test_a_requirements_crosswalk_has_titles_and_marks(acting):
    with acting("viewer", read_only=True):
        links = crosswalk_queries.crosswalk("MEASURE 2.7", RMF)
    goals = {(link.to_key, link.to_ref): link for link in links}
    assert goals["owasp-llm-2025", "LLM01:2025"].word == "intersects"
    assert goals["owasp-llm-2025", "LLM01:2025"].to_title == "Prompt Injection"
    assert not goals["soc2-tsc-2017", "CC7.1"].derived


def test_another_edition_is_another_row_and_a_tenant_keeps_the_one_it_adopted(acting, database):
    """Keep the old catalogue for those who adopted it, and offer the new one to everybody else."""
    with acting("compliance_officer"):
        from governance.assurance.frameworks import actions

        old = queries.framework(RMF)
        actions.adopt_framework(old)
    newer = queries.FrameworkView(
        sync.NAMESPACE,
        RMF,
        old.title,
        "1.1",
        "later",
        old.publisher,
        old.licence,
        old.source,
        "f" * 64,
        None,
        old.installed_at + timedelta(days=1),
    )
    queries._memory.frameworks = (*queries.installed(), newer) if queries._memory.frameworks else ()
    try:
        with acting("compliance_officer", read_only=True):
            assert queries.framework(RMF) == old
        with acting("compliance_officer", "globex", read_only=True):
            assert queries.framework(RMF) == newer
            assert len(queries.frameworks()) == len(KEYS)
    finally:
        queries.forget_catalogues()


# ---- the installation


def test_syncing_again_changes_nothing(server):
    engine = create_engine(server.owner_url)
    query = text(
        "SELECT (SELECT count(*) FROM frameworks), (SELECT count(*) FROM requirements), (SELECT"
        " max(created_at) FROM frameworks)"
    )
    with engine.connect() as connection:
        before = connection.execute(query).one()
    assert sync.install_catalogues(server.owner_url) == []
    with engine.connect() as connection:
        assert connection.execute(query).one() == before
    engine.dispose()


def test_the_application_may_not_change_a_catalogue(acting):
    with pytest.raises(Exception, match="permission denied"), acting("admin"):
        session().execute(text("UPDATE requirements SET title = 'x'"))


def test_what_is_installed_is_what_the_files_say(acting):
    with acting("viewer", read_only=True):
        for each in catalogue.all_catalogues():
            row = (
                session()
                .scalars(
                    select(Framework).where(
                        Framework.key == each.key, Framework.superseded_at.is_(None)
                    )
                )
                .one()
            )
            nodes = (
                session()
                .scalars(
                    select(Requirement)
                    .where(Requirement.framework_id == row.id)
                    .order_by(Requirement.position)
                )
                .all()
            )
            assert (row.id, row.digest) == (sync.identifier(each), catalogue.catalogue_digest(each))
            assert [(n.ref, n.title, n.parent_ref, n.depth, n.assessable) for n in nodes] == [
                (r.ref, r.title, r.parent, r.depth, r.assessable) for r in each.requirements
            ]


def test_the_operator_sees_catalogues_and_no_tenant(as_operator, as_officer):
    as_officer.post(f"frameworks/{RMF}/adopt")
    reply = as_operator.get("/operator/frameworks")
    text = main_text(reply)
    assert (
        "5 catalogues installed, all with the published counts" in text
        and "Matches the built-in catalogue" in text
    )
    assert "Acme" not in text and "adopt" not in text.replace("what a tenant adopted", "")
    assert all(
        catalogue.catalogue_digest(each) in reply.text for each in catalogue.all_catalogues()
    )


def test_a_tenants_people_do_not_reach_the_operators_page(as_admin):
    assert as_admin.get("/operator/frameworks", then=None).status_code in {302, 403, 404}
