"""Read a publisher's file: a CISO Assistant library, the Playbook or OSCAL. Pure functions."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from governance.assurance.frameworks import oscal
from governance.assurance.frameworks.parsing import ACCEPTED, parse_file
from governance.assurance.frameworks.publisher_file import (
    FileText,
    ImportRefused,
    Kind,
    PublisherFile,
    edition_of,
    file_text,
    not_imported,
    plain_line,
    plain_text,
)

CISO_ASSISTANT, PLAYBOOK, OSCAL = "CISO Assistant library", "NIST AI RMF Playbook", oscal.FORMAT
PLAYBOOK_FIELDS: Mapping[str, Kind] = {
    "description": "playbook wording",
    "section_about": "about",
    "section_actions": "actions",
    "section_doc": "documentation",
    "section_ref": "references",
}
PLAYBOOK_LISTS: Mapping[str, Kind] = {"AI Actors": "AI actors", "Topic": "topics"}
PLAYBOOK_STRUCTURE = {"title", "type", "category"}  # Identify an item and aren't its text.
CISO_STRUCTURE = {"urn", "ref_id", "parent_urn", "depth", "assessable", "description"}
KNOWN_OTHERS = (  # (keys that identify a format, its name)
    ({"own_short_labels"}, "a list of SOC 2 criteria ids"),
    ({"bomFormat"}, "a CycloneDX bill of materials"),
    ({"component-definition"}, "an OSCAL component definition"),
    ({"mapping-collection"}, "an OSCAL mapping"),
    ({"system-security-plan"}, "an OSCAL system security plan"),
    ({"assessment-plan"}, "an OSCAL assessment plan"),
    ({"assessment-results"}, "OSCAL assessment results"),
    ({"plan-of-action-and-milestones"}, "an OSCAL plan of action"),
    ({"$schema"}, "a JSON schema"),
    ({"response"}, "a CPRT export"),
    ({"action_id", "suggested_action"}, "the Cloud Security Alliance's list of AI 600-1 actions"),
    (
        {"subcategory_id", "category_id"},
        "the Cloud Security Alliance's table of AI RMF subcategories",
    ),
)


def open_file(data: bytes, filename: str) -> PublisherFile:
    """Detect the format of a file of up to MAX_FILE_BYTES, and read it.

    Raises ImportRefused with the reason.
    """
    content = parse_file(data, filename)
    file = _reader(content)(content)
    if not file.texts:
        raise ImportRefused(f"This {file.format} (“{file.title}”) has no requirement with an id.")
    return file


def _reader(content: object) -> Callable[[Any], PublisherFile]:
    if isinstance(content, list):
        first = content[0] if content else None
        if isinstance(first, dict) and {"title", "section_about"} <= first.keys():
            return _playbook
        _refuse_other(first, "a list of something else")
    if isinstance(content, dict):
        if isinstance(content.get("catalog"), dict):
            return oscal.read_catalog
        if isinstance(content.get("profile"), dict):
            _refuse_profile(content["profile"])
        if isinstance(content.get("objects"), dict) and "urn" in content:
            return _ciso_assistant
        keys = ", ".join(str(each)[:40] for each in list(content)[:5]) or "no keys"
        _refuse_other(content, f"a file with the keys {keys}")
    raise ImportRefused(f"This looks like plain text. {ACCEPTED}")


def _refuse_profile(profile: Mapping[str, Any]) -> NoReturn:
    metadata = profile.get("metadata")
    title = plain_line(metadata.get("title")) if isinstance(metadata, dict) else ""
    raise ImportRefused(
        f"This is an OSCAL profile (“{title or 'untitled'}”): it selects controls from other files"
        " and has no texts. Import its resolved catalog instead, a file whose name usually ends in"
        " “resolved-profile_catalog.json”."
    )


def _refuse_other(sample: object, otherwise: str) -> NoReturn:
    keys = sample.keys() if isinstance(sample, dict) else set[str]()
    looks = next((name for telling, name in KNOWN_OTHERS if telling <= keys), otherwise)
    raise ImportRefused(f"This looks like {looks}. {ACCEPTED}")


def _playbook(content: list[Any]) -> PublisherFile:
    texts: list[FileText] = []
    for number, each in enumerate(content, 1):
        if not isinstance(each, dict) or not plain_line(each.get("title")):
            raise ImportRefused(
                f"Item {number} of the Playbook has no title, so its requirement is unknown."
            )
        ref = plain_line(each["title"])
        texts += [
            file_text((ref,), kind, plain_text(each[key], ref))
            for key, kind in PLAYBOOK_FIELDS.items()
            if key in each
        ]
        texts += [
            file_text((ref,), kind, _listed(each[key], ref))
            for key, kind in PLAYBOOK_LISTS.items()
            if each.get(key)
        ]
    dated = any("category" in each for each in content)
    edition = (
        "with category ids (2024 or later)" if dated else "without category ids (as in April 2023)"
    )
    left_out = _fields(content, {*PLAYBOOK_FIELDS, *PLAYBOOK_LISTS, *PLAYBOOK_STRUCTURE})
    return PublisherFile(
        PLAYBOOK,
        PLAYBOOK,
        (PLAYBOOK,),
        f"undated, {edition}",
        tuple(texts),
        tuple(not_imported(left_out, "fields")),
    )


def _listed(value: object, ref: str) -> str:
    """Return a list of names, or a single name, as text with one name per line."""
    names = value if isinstance(value, list) else [value]
    return "\n".join(filter(None, (plain_text(name, ref) for name in names)))


def _ciso_assistant(content: dict[str, Any]) -> PublisherFile:
    title = plain_line(content.get("name")) or "untitled"
    framework = content["objects"].get("framework")
    if not isinstance(framework, dict) or not isinstance(framework.get("requirement_nodes"), list):
        has = ", ".join(map(str, content["objects"])) or "nothing"
        raise ImportRefused(
            f"This CISO Assistant library (“{title}”) has no framework. It has: {has}."
        )
    nodes = [each for each in framework["requirement_nodes"] if isinstance(each, dict)]
    named = [(ref, each) for each in nodes if (ref := plain_line(each.get("ref_id")))]
    without = len(framework["requirement_nodes"]) - len(named)
    problems = (
        [f"Nodes without an id (preambles and notes) are left out ({without:,})."]
        if without
        else []
    )
    problems += not_imported(_fields([each for _, each in named], CISO_STRUCTURE), "fields")
    names = [each.get(key) for each in (content, framework) for key in ("name", "ref_id", "urn")]
    return PublisherFile(
        format=CISO_ASSISTANT,
        title=title,
        names=tuple(each for each in map(plain_line, names) if each),
        edition=edition_of(
            ("version", content.get("version")), ("of", content.get("publication_date"))
        ),
        texts=tuple(_node(ref, each) for ref, each in named),
        problems=tuple(problems),
    )


def _node(ref: str, node: Mapping[str, Any]) -> FileText:
    assessable = plain_line(node.get("assessable")).lower() == "true"
    return file_text(
        (ref,), "statement" if assessable else "overview", plain_text(node.get("description"), ref)
    )


def _fields(items: Iterable[Mapping[str, Any]], known: Iterable[str]) -> Counter[str]:
    """Count the items that have a value in each field that isn't in `known`."""
    return Counter(
        plain_line(key) or "unnamed"
        for each in items
        for key in each.keys() - set(known)
        if each[key]
    )
