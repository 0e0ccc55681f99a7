"""The glossary in alphabetical order: for its page, and as docs/glossary.md."""

from itertools import groupby

from governance.kernel.glossary import GLOSSARY, Term


def groups() -> list[tuple[str, list[Term]]]:
    """Return the terms by their first letter, in alphabetical order."""
    ordered = sorted(GLOSSARY.parts(), key=lambda each: each.name.lower())
    return [(letter, list(each)) for letter, each in groupby(ordered, lambda t: t.name[0])]


def markdown() -> str:
    """Return the text of docs/glossary.md."""
    lines = [
        "# Glossary",
        "",
        "The terms that Meridian uses. The same list is in the product, at `/glossary`.",
        "",
        "Generated from the terms that features bring by `python -m tools.glossary`.",
    ]
    for letter, terms in groups():
        lines += ["", f"## {letter}", ""]
        lines += [f"- **{each.name}**: {each.meaning}" for each in terms]
    return "\n".join(lines) + "\n"
