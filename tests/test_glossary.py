"""Whatever the product names is explained in the glossary, and every page links to it."""

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from jinja2 import Environment

from governance.app.features import FEATURES
from governance.foundation.audit.registry import registry as actions
from governance.foundation.glossary.terms import BY_SLUG, TERMS, markdown
from governance.kernel import access
from tools import glossary

TEMPLATES = Path(__file__).parents[1] / "templates"
COVERED = {noun for term in TERMS for noun in term.covers.split()}
HELP = re.compile(r"\{%-?\s*block help\b")
HELP_TEXT = re.compile(r"help_text\((?P<arguments>.*?)\)\s*-?\}\}", re.DOTALL)
MAX_SENTENCES = 3
LABELS = {
    "AI systems": "ai-system",
    "Controls": "control",
    "Evidence": "evidence-item",
    "Frameworks": "framework",
    "Policies": "policy",
    "Reports": "report",
    "Switch": "kill-switch",
    "Tenants": "tenant",
}  # navigation label → slug, where the label isn't the term itself


def sources() -> dict[str, str]:
    return {
        str(path.relative_to(TEMPLATES)): path.read_text() for path in TEMPLATES.rglob("*.html")
    }


def slug(label: str) -> str:
    return LABELS.get(label, label.lower().replace(" ", "-"))


def test_every_navigation_label_is_a_term():
    labels = {item.label for each in FEATURES for item in each.navigation}
    assert {label for label in labels if slug(label) not in BY_SLUG} == set()
    assert LABELS.keys() <= labels


def test_every_noun_of_an_audit_action_is_covered_by_a_term(app):
    assert {name.split(".")[0] for name in actions} - COVERED == set()


def test_every_noun_of_a_permission_is_covered_by_a_term(app):
    assert {name.split(".")[0] for name in access.registry} - COVERED == set()


def test_each_noun_is_covered_by_one_term_and_each_term_has_a_slug_of_its_own():
    nouns = [noun for term in TERMS for noun in term.covers.split()]
    assert len(nouns) == len(set(nouns)) and len(BY_SLUG) == len(TERMS)


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.slug)
def test_a_meaning_is_one_plain_sentence(term):
    assert term.meaning[0].isupper() and term.meaning.endswith(".")
    assert not re.search(r"[.!?] [A-Z]", term.meaning) and len(term.meaning.split()) <= 32


def test_the_document_is_that_of_the_terms():
    assert glossary.FILE.read_text() == markdown(), "run `python -m tools.glossary`"


def test_everyone_reads_the_glossary_and_whoever_is_signed_in_keeps_the_navigation(
    client, as_viewer, as_operator
):
    for visitor, has_navigation in ((client, False), (as_viewer, True), (as_operator, True)):
        page = visitor.get("/glossary")
        soup = BeautifulSoup(page.text, "html.parser")
        assert {dt["id"]: dt.get_text() for dt in soup.select("dl.c-terms dt")} == {
            term.slug: term.name for term in TERMS
        }
        assert bool(soup.select("nav[aria-label=Sections]")) is has_navigation
        assert bool(soup.select('form[action="/logout"]')) is has_navigation


# ---- help


def test_every_help_text_links_to_a_term_and_is_short():
    for name, source in sources().items():
        if name.startswith("components/"):
            continue
        texts = list(HELP_TEXT.finditer(source))
        assert len(texts) == source.count("help_text("), f"{name}: write help_text('…', 'slug')"
        for found in texts:
            text, term = Environment().compile_expression(f"[{found['arguments']}]")()
            assert term in BY_SLUG, f"{name}: {term} is no term"
            sentences = re.findall(r"[.?](?:\s|$)", text)
            assert 1 <= len(sentences) <= MAX_SENTENCES, f"{name}: {len(sentences)} sentences"


def test_every_page_has_help():
    pages = {name: text for name, text in sources().items() if 'extends "layout.html"' in text}
    without = {name for name, text in pages.items() if not HELP.search(text)}
    assert without - WITHOUT_HELP == set()


# Pages still without help. The list only shrinks; delete it when it is empty.
WITHOUT_HELP = {
    "assurance/access_reviews/begin.html",
    "assurance/access_reviews/index.html",
    "assurance/access_reviews/review.html",
    "assurance/assessments/assessment.html",
    "assurance/assessments/closing.html",
    "assurance/assessments/conclude.html",
    "assurance/assessments/heat_map.html",
    "assurance/assessments/index.html",
    "assurance/assessments/new.html",
    "assurance/assessments/requirement.html",
    "assurance/assessments/requirements.html",
    "assurance/assessments/return.html",
    "assurance/assessments/steer.html",
    "assurance/collectors/collector.html",
    "assurance/collectors/index.html",
    "assurance/controls/answering.html",
    "assurance/controls/control.html",
    "assurance/controls/create.html",
    "assurance/controls/edit.html",
    "assurance/controls/index.html",
    "assurance/controls/mapping.html",
    "assurance/controls/retire.html",
    "assurance/controls/starter.html",
    "assurance/controls/test.html",
    "assurance/engagements/ask.html",
    "assurance/engagements/edit.html",
    "assurance/engagements/end.html",
    "assurance/engagements/engagement.html",
    "assurance/engagements/import.html",
    "assurance/engagements/index.html",
    "assurance/engagements/package.html",
    "assurance/engagements/preview.html",
    "assurance/engagements/request.html",
    "assurance/engagements/requests.html",
    "assurance/engagements/waiting.html",
    "assurance/evidence/begin.html",
    "assurance/evidence/bring.html",
    "assurance/evidence/deletion.html",
    "assurance/evidence/edit.html",
    "assurance/evidence/hold.html",
    "assurance/evidence/inbox.html",
    "assurance/evidence/index.html",
    "assurance/evidence/piece.html",
    "assurance/evidence/retention.html",
    "assurance/evidence/retire.html",
    "assurance/evidence/review.html",
    "assurance/frameworks/crosswalk.html",
    "assurance/frameworks/import.html",
    "assurance/frameworks/index.html",
    "assurance/frameworks/operator.html",
    "assurance/frameworks/preview.html",
    "assurance/frameworks/versions.html",
    "assurance/testing/control.html",
    "assurance/testing/exception.html",
    "assurance/testing/exceptions.html",
    "assurance/testing/findings.html",
    "assurance/testing/freeze.html",
    "assurance/testing/index.html",
    "assurance/testing/item.html",
    "assurance/testing/missed.html",
    "assurance/testing/population.html",
    "assurance/testing/sample.html",
    "assurance/testing/sizes.html",
    "assurance/testing/upload.html",
    "foundation/anchors/adding.html",
    "foundation/anchors/index.html",
    "foundation/anchors/removal.html",
    "foundation/api_keys/index.html",
    "foundation/api_keys/new.html",
    "foundation/api_keys/revoke.html",
    "foundation/api_keys/rotate.html",
    "foundation/api_keys/secret.html",
    "foundation/approvals/approval.html",
    "foundation/identity_providers/first_admin.html",
    "foundation/identity_providers/index.html",
    "foundation/identity_providers/propose.html",
    "foundation/list_views/index.html",
    "foundation/logbook/actor.html",
    "foundation/logbook/checkpoints.html",
    "foundation/logbook/entry.html",
    "foundation/logbook/export.html",
    "foundation/logbook/exports.html",
    "foundation/logbook/index.html",
    "foundation/logbook/save_view.html",
    "foundation/people/members.html",
    "foundation/people/remove.html",
    "foundation/people/sessions.html",
    "foundation/people/switcher.html",
    "foundation/privacy/ask_erasure.html",
    "foundation/privacy/ask_unmask.html",
    "foundation/privacy/erasure.html",
    "foundation/privacy/hold.html",
    "foundation/privacy/index.html",
    "foundation/privacy/release.html",
    "foundation/privacy/retention.html",
    "foundation/tenants/new.html",
    "foundation/tenants/settings.html",
    "operations/policies/floor.html",
    "operations/policies/floor_change.html",
    "operations/policies/floor_version.html",
    "operations/policies/floor_versions.html",
    "operations/policies/in_force.html",
    "operations/policies/index.html",
    "operations/policies/override.html",
    "operations/policies/pick.html",
    "operations/policies/tier.html",
    "operations/policies/unpublished_version.html",
    "operations/policies/version.html",
    "operations/policies/versions.html",
    "operations/policies/waiver.html",
    "operations/policies/waiver_new.html",
    "operations/policies/waivers.html",
    "operations/switches/drill.html",
    "operations/switches/index.html",
    "operations/switches/one.html",
    "operations/switches/plan.html",
    "operations/switches/platform.html",
    "operations/switches/restart.html",
    "operations/switches/stop.html",
    "operations/switches/stop_everything.html",
    "operations/switches/system.html",
    "operations/systems/add_feature.html",
    "operations/systems/edit.html",
    "operations/systems/index.html",
    "operations/systems/new.html",
    "operations/systems/raise.html",
    "operations/systems/retire.html",
    "operations/systems/retire_feature.html",
    "operations/systems/system.html",
    "publishing/inbox/done.html",
    "publishing/inbox/index.html",
    "publishing/inbox/item.html",
    "publishing/overview/operator.html",
    "publishing/overview/overview.html",
    "publishing/reports/index.html",
    "publishing/reports/report.html",
}
