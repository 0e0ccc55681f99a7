"""The signed PDF of a review: its pages, its figures, and `governance verify-report`."""

import io
import json
import re
from datetime import UTC, datetime

import msgspec
import pdfplumber
import pikepdf
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.economics.reviews.facts.review_facts import Costs, decode
from governance.kernel.safety.signed_note import VerifierKey
from governance.publishing.reports.signatures.verify import verify
from governance.publishing.review_files import review_data, review_document, review_files
from governance.publishing.review_files.review_data import RevisionInfo, SignedSide
from tests.economics.reviews import facts_helpers as helpers
from tests.economics.reviews import tenant_facts
from tests.economics.reviews.facts_helpers import empty_facts, headlines_of, rich_facts
from tests.economics.reviews.tenant_facts import D
from tests.hypothesis_profiles import examples

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = VerifierKey(
    "console.example", PRIVATE.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
)
SIGNED = SignedSide("finance", "Leo Moreau", datetime(2026, 11, 6, tzinfo=UTC))


def revision(**changed) -> RevisionInfo:
    values = {
        "number": 1,
        "closed_at": datetime(2026, 11, 5, 7, tzinfo=UTC),
        "reason": "The month was closed.",
        "input_digest": "ab" * 32,
        "signing_key": str(KEY),
    }
    return RevisionInfo(**values | changed)


def files_of(facts, **changed) -> review_files.ReviewFiles:
    return review_files.build(
        facts, headlines_of(facts), revision(**changed), private=PRIVATE, key_name=KEY.name
    )


def unpacked(content: bytes) -> dict[str, bytes]:
    with review_files.zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def make_rich():
    return files_of(
        rich_facts(),
        number=2,
        reason="Model cost of October fell by €1,500.00, because a bill was corrected.",
        changes=[["Model cost", "€73,980.00", "€72,480.00"]],
        sign_offs=[SIGNED],
    )


@pytest.fixture(scope="module")
def made():
    return make_rich()


@pytest.fixture(scope="module")
def text(made):
    with pdfplumber.open(io.BytesIO(unpacked(made.content)["unit-economics-review.pdf"])) as pdf:
        return [" ".join((page.extract_text() or "").split()) for page in pdf.pages]


def test_a_review_has_five_pages_whose_titles_say_the_conclusion(made, text):
    assert made.pages == len(text) == 5
    for page, said in zip(
        text,
        (
            "Gross margin is 57.2%, up 0.4 points; three of 34 tenants lose money",
            "Guardrails take 5.5% of revenue; models take 3.2 times as much",
            "Small business earns back 1.3 times its cost, and may not earn it back at all",
            "Invoices exceed computed cost by 1.52%, within the 2% limit",
            "Every figure follows from these inputs",
        ),
        strict=True,
    ):
        assert said in page.replace("\N{NO-BREAK SPACE}", " ")
        assert "Confidential: finance and product" in page


def test_the_pages_print_the_facts(text):
    whole = " ".join(text).replace("\N{NO-BREAK SPACE}", " ")
    for said in (
        "Three tenants lost €5,210 in October",
        "41,000 tokens in a median prompt",
        "Public sector: no churn, 7 accounts.",
        "72,480.00 73,600.00 1,120.00 1.52%",
        "Revision 2: Model cost of October fell by €1,500.00",
        "€73,980.00 €72,480.00",
        "Finance Leo Moreau 6 November 2026",
        "Product not signed when this file was generated",
    ):
        assert said in whole, said


def test_verify_report_accepts_the_review_and_names_what_was_changed(made):
    files = unpacked(made.content)
    pdf, note = files["unit-economics-review.pdf"], files["unit-economics-review.pdf.sig"]
    good = verify(pdf, note, str(KEY))
    assert good.sentence == "The report is genuine and intact: all 8 checks passed."
    assert [each.name for each in good.checks if each.ok is not True] == []
    bad = verify(pdf + b"%", note, str(KEY))
    assert [each.name for each in bad.checks if each.ok is False] == ["digest"]
    other = VerifierKey("console.example", bytes(range(1, 33)))
    assert verify(pdf, note, str(other)).checks[0].ok is False


def test_the_data_file_is_what_the_pdf_attaches_and_the_signature_confirms(made):
    files = unpacked(made.content)
    with pikepdf.open(io.BytesIO(files["unit-economics-review.pdf"])) as document:
        inside = document.attachments["snapshot.json"].get_file().read_bytes()
    data = files[review_data.NAME]
    assert inside == data == review_data.canonical(json.loads(data))
    assert decode(json.loads(data)["facts"]) == rich_facts()
    assert (
        f"fingerprint {review_data.digest(data)}" in files["unit-economics-review.pdf.sig"].decode()
    )


def test_the_pdf_is_tagged_and_its_charts_have_their_figures_as_text(made):
    with pikepdf.open(io.BytesIO(unpacked(made.content)["unit-economics-review.pdf"])) as document:
        assert document.Root.MarkInfo.Marked and str(document.Root.Lang) == "en"
        alts = [
            str(each.Alt)
            for each in document.objects
            if isinstance(each, pikepdf.Dictionary) and "/Alt" in each
        ]
    assert any("Guardrails take 5.5%" in each for each in alts)
    assert len(alts) == 8 + 3  # A sparkline for each measure, waterfall, intervals, days.


@pytest.mark.slow
def test_the_same_facts_give_the_same_bytes(made):
    assert made.content == make_rich().content


def test_a_measure_shows_its_changes_and_a_dash_where_there_is_nothing_to_compare_with():
    facts = rich_facts()
    year = review_document.measures(facts, headlines_of(facts))
    mrr, margin = year[0], year[1]
    assert (mrr.label, mrr.on_month, mrr.on_year) == ("MRR, EUR thousand", "0.0%", "0.0%")
    assert (margin.on_month, margin.on_year) == ("+0.4 points", "+3.9 points")
    first = review_document.measures(facts, headlines_of(facts)[-1:])
    empty = review_document.measures(empty_facts(), headlines_of(empty_facts()))
    for measured in (first, empty):
        assert {(each.on_month, each.on_year) for each in measured} == {("–", "–")}


def test_a_month_without_anything_has_a_review_too():
    empty = files_of(empty_facts())
    files = unpacked(empty.content)
    verdict = verify(
        files["unit-economics-review.pdf"], files["unit-economics-review.pdf.sig"], str(KEY)
    )
    assert all(each.ok for each in verdict.checks)


amounts = st.integers(0, 900_000).map(lambda cents: D(cents) / 100)


@settings(max_examples=examples(15))
@given(st.lists(st.tuples(amounts, amounts, amounts), max_size=5))
def test_each_figure_of_the_page_is_computed_from_the_facts(rows):
    tenants = [
        tenant_facts.tenant(
            f"Tenant {place}",
            revenue,
            Costs(models=models, guardrails=guard, infrastructure=D(0), support=D(0)),
        )
        for place, (revenue, models, guard) in enumerate(rows)
    ]
    facts = empty_facts()
    waterfall = helpers.waterfall_of(tenants, D(0), D(0), D(0))
    facts = msgspec.structs.replace(
        facts,
        tenants=tenants,
        waterfall=waterfall,
        ratios=helpers.ratios_of(waterfall, facts.mrr, facts.accounts, tenants),
    )
    html = review_document.build(review_data.content(facts, headlines_of(facts), revision())).html
    losing = [each for each in tenants if each.margin < 0]
    printed = re.findall(r'<th scope="row"><b>(Tenant \d)</b></th><td>', html)
    assert sorted(printed) == sorted(each.name for each in losing)
    lost = -sum((each.margin for each in losing), D(0))
    assert not losing or f"lost €{lost:,.0f} in October" in html
