"""Write docs/glossary.md from the glossary's terms: python -m tools.glossary."""

from pathlib import Path

from governance.foundation.glossary import terms

FILE = Path(__file__).parents[1] / "docs" / "glossary.md"

if __name__ == "__main__":
    FILE.write_text(terms.markdown())
