"""The command that verifies a statement, its documented format, and its PDF."""

import io
from pathlib import Path

import pikepdf
import pytest
from click.testing import CliRunner

from governance.app.cli import main
from governance.kernel.pictures import pdf
from governance.operations.measurements.scoring import IndicatorRule
from governance.publishing.statements import closing, data_file, statement_document
from governance.publishing.statements.minute_counts import MonthCounts, encode
from tests.publishing.statements import statement_samples as samples

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[3] / "docs" / "statement-format.md"


@pytest.fixture(scope="module")
def file():
    return samples.signed()


def run(tmp_path, data, *options):
    path = tmp_path / "sla-statement.json"
    path.write_bytes(data)
    return CliRunner().invoke(main, ["verify-statement", str(path), *options])


def test_the_command_says_what_adds_up_and_exits_with_0(file, tmp_path):
    found = run(tmp_path, file, "--key", samples.KEY)
    assert found.exit_code == 0, found.output
    assert "ok    console.example signed acme-AGR-2-2026-10-r2" in found.output
    assert "The statement is genuine and adds up" in found.output


def test_the_command_names_an_altered_minute_and_exits_with_1(file, tmp_path):
    bent = file.replace(b'"06","60*3"', b'"06","14*3 3/2 45*3"', 1)
    assert bent != file
    found = run(tmp_path, bent, "--key", samples.KEY)
    assert found.exit_code == 1
    assert "recorded good 3 of 2" in found.output
    assert "Signature: The content was changed after it was signed." in found.output


def test_without_a_key_the_command_exits_with_2(file, tmp_path):
    assert run(tmp_path, file).exit_code == 2


def test_each_key_is_passed_by_its_own_option(tmp_path):
    """Exit with 2 without the log's key, and don't call the checkpoint's line "ok"."""
    made = samples.with_checkpoint()
    alone = run(tmp_path, made, "--key", samples.KEY)
    assert alone.exit_code == 2
    assert "?     Checkpoint of log.example at 1,139 entries: its signature was not checked" in (
        alone.output
    )
    assert "The statement is genuine" not in alone.output
    (tmp_path / "log.pub").write_text(f"{samples.LOG_KEY}\n")
    both = run(tmp_path, made, "--key", samples.KEY, "--key", str(tmp_path / "log.pub"))
    assert both.exit_code == 0, both.output
    assert "ok    Checkpoint of log.example at 1,139 entries, signed by the log's key." in (
        both.output
    )


def test_the_documented_hour_is_what_is_written():
    start = samples.at(9, 6)
    span = samples.span(start, 60)
    rows = [(start + n * samples.MINUTE, 6 if n == 14 else 20, 20) for n in range(60)]
    [day] = encode(MonthCounts.of(span, rows), IndicatorRule("downtime"))
    assert day["hours"] == [["06", "14*20 6/20 45*20", [60, 0, 1186, 1200], [1830, 36390, 36600]]]
    assert '["06", "14*20 6/20 45*20", [60, 0, 1186, 1200], [1830, 36390, 36600]]' in (
        DOCS.read_text()
    )


def test_the_same_statement_gives_the_same_tagged_pdf(file):
    facts, counts = samples.facts(), samples.counts()
    statement = samples.statement(facts, counts)
    built = statement_document.build(statement, file, closing.notes_of(facts, counts))
    made = [
        pdf.render(
            built.html, attachments=built.attachments, at=built.at, identifier=built.identifier
        )
        for _ in range(2)
    ]
    assert made[0] == made[1]
    with pikepdf.open(io.BytesIO(made[0])) as document:
        assert bool(document.Root.MarkInfo.Marked)
        inside = document.attachments[data_file.NAME].get_file().read_bytes()
        assert inside == file
        assert len(document.pages) == 2
    assert "Two promises were missed in October; Acme Insurance is owed €760.00" in built.html
    assert "€12,400.00" in built.html and "Credit for October" in built.html
