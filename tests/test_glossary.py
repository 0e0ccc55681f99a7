"""The glossary, which explains all that the product names and is linked from every page."""

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from jinja2 import Environment

from governance.app.features import FEATURES
from governance.foundation.audit.registry import registry as actions
from governance.foundation.glossary.document import markdown
from governance.kernel.glossary import GLOSSARY
from governance.kernel.safety import access
from tools import glossary

TEMPLATES = Path(__file__).parents[1] / "templates"
TERMS = [term for each in FEATURES for term in GLOSSARY.parts_of(each.extensions)]
BY_SLUG = {term.slug: term for term in TERMS}
COVERED = {noun for term in TERMS for noun in term.covers.split()}
HELP = re.compile(r"\{%-?\s*block help\b")
EXTENDS = re.compile(r"\{%-?\s*extends \"([^\"]+)\"")
HELP_TEXT = re.compile(r"help_text\((?P<arguments>.*?)\)\s*-?\}\}", re.DOTALL)
MAX_SENTENCES = 3
LABELS = {
    "Prices": "price",
    "Agreements": "agreement",
    "Allocation": "allocation-rule",
    "AI systems": "ai-system",
    "Controls": "control",
    "Economics": "unit-economics-review",
    "Evidence": "evidence-item",
    "Frameworks": "framework",
    "Policies": "policy",
    "Reliability": "objective",
    "Rates": "exchange-rate",
    "Costs": "effective-cost",
    "Imports": "imported-file",
    "Reports": "report",
    "Statements": "statement",
    "Switch": "kill-switch",
    "Tenants": "tenant",
    "Budgets": "budget",
    "Evaluations": "evaluation",
}  # Navigation label → slug, where the label isn't the term itself.


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
    present = [name for name, each in actions.items() if not each.is_former]
    assert {name.split(".")[0] for name in present} - COVERED == set()


def test_every_noun_of_a_permission_is_covered_by_a_term(app):
    assert {name.split(".")[0] for name in access.registry} - COVERED == set()


def test_each_noun_is_covered_by_one_term_and_each_term_has_a_slug_of_its_own():
    nouns = [noun for term in TERMS for noun in term.covers.split()]
    assert len(nouns) == len(set(nouns)) and len(BY_SLUG) == len(TERMS)


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.slug)
def test_a_meaning_is_one_plain_sentence(term):
    assert term.meaning[0].isupper() and term.meaning.endswith(".")
    assert not re.search(r"[.!?] [A-Z]", term.meaning) and len(term.meaning.split()) <= 32


def test_the_document_is_that_of_the_terms(app):
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
    """Find a help link on each page, or on the frame that it extends."""
    texts = sources()
    parents = {name: EXTENDS.findall(text) for name, text in texts.items()}
    frames = {parent for found in parents.values() for parent in found}

    def lineage(name):
        return [name, *(each for parent in parents.get(name, ()) for each in lineage(parent))]

    pages = {name for name in parents if name not in frames and "layout.html" in lineage(name)}
    without = {
        name for name in pages if not any(HELP.search(texts[each]) for each in lineage(name))
    }
    assert len(pages) > 100 and without == set()
