"""Write docs/glossary.md from the terms that the features declare: python -m tools.glossary."""

from pathlib import Path

from governance.app.features import FEATURES
from governance.foundation.glossary import document
from governance.kernel.manifest import install

FILE = Path(__file__).parents[1] / "docs" / "glossary.md"

if __name__ == "__main__":
    install(FEATURES)
    FILE.write_text(document.markdown())
