"""Parts that WeasyPrint 70 omits from a PDF's tag tree, and PDF/A-3 and PDF/UA-1 require.

finish(document, pdf)    WeasyPrint's finisher: headers get their scope, running headers become
                         artifacts, each attachment is listed once, the metadata is plain text
"""

from collections.abc import Collection, Iterator
from typing import Any

import pydyf  # type: ignore[import-untyped] # it has no types

PAGINATION = {"Type": "/Pagination"}


def finish(document: Any, pdf: Any) -> None:  # noqa: ARG001 - WeasyPrint calls it with both
    elements = {item.number: item for item in pdf.objects if _is_element(item)}
    if elements:
        _scope_headers(elements)
        _make_artifacts(pdf, elements)
    _list_attachments_once(pdf)
    _leave_metadata_plain(pdf)


def _is_element(item: Any) -> bool:
    return isinstance(item, dict) and item.get("Type") == "/StructElem"


def _number(reference: bytes) -> int:
    return int(bytes(reference).split()[0])


# --- Headers of tables (PDF/UA-1, 7.5) ------------------------------------------------------------


def _scope_headers(elements: dict[int, Any]) -> None:
    for item in elements.values():
        if item["S"] == "/TH":
            _set_scope(item, "/Column" if _is_in_head(item, elements) else "/Row")


def _is_in_head(item: Any, elements: dict[int, Any]) -> bool:
    while item is not None and item["S"] not in {"/Table", "/Document"}:
        if item["S"] == "/THead":
            return True
        item = elements.get(_number(item["P"]))
    return False


def _set_scope(item: Any, scope: str) -> None:
    attributes = item.get("A")
    if isinstance(attributes, list):
        for each in attributes:
            if each.get("O") == "/Table":
                each["Scope"] = scope
                return
        attributes.append(pydyf.Dictionary({"O": "/Table", "Scope": scope}))
    elif isinstance(attributes, dict) and attributes.get("O") == "/Table":
        attributes["Scope"] = scope
    else:
        added = pydyf.Dictionary({"O": "/Table", "Scope": scope})
        item["A"] = added if attributes is None else pydyf.Array([attributes, added])


# --- Running headers and footers (PDF/UA-1, 7.8) --------------------------------------------------


def _make_artifacts(pdf: Any, elements: dict[int, Any]) -> None:
    """Mark text of margin boxes as an artifact.

    WeasyPrint gives it elements that no parent lists, so that it is content outside the tree.
    """
    reached = set(_reachable(pdf, elements))
    unlisted = {number for number in elements if number not in reached}
    if not unlisted:
        return
    by_number = {item.number: item for item in pdf.objects}
    mapping = by_number[_number(by_number[_number(pdf.catalog["StructTreeRoot"])]["ParentTree"])]
    parents = dict(zip(mapping["Nums"][::2], mapping["Nums"][1::2], strict=True))
    for reference in pdf.page_references:
        page = by_number[_number(reference)]
        owners = parents[page["StructParents"]]
        marks = {mark for mark, owner in enumerate(owners) if _number(owner) in unlisted}
        _mark_as_artifacts(by_number[_number(page["Contents"])].stream, marks)
        for mark in marks:
            owners[mark] = "null"
    for number in unlisted:
        elements[number].clear()  # Freed objects would shift pydyf's index of the others.


def _reachable(pdf: Any, elements: dict[int, Any]) -> Iterator[int]:
    root = next(item for item in pdf.objects if item.reference == pdf.catalog["StructTreeRoot"])
    waiting = [_number(each) for each in root["K"]]
    while waiting:
        number = waiting.pop()
        yield number
        waiting += [
            kid
            for each in elements[number]["K"]
            if isinstance(each, bytes) and (kid := _number(each)) in elements
        ]


def _mark_as_artifacts(tokens: list[Any], marks: Collection[int]) -> None:
    for place, token in enumerate(tokens):
        if isinstance(token, dict) and token.get("MCID") in marks:
            tokens[place - 1], tokens[place] = "/Artifact", pydyf.Dictionary(PAGINATION)


# --- Attachments (ISO 19005-3, 6.8) ---------------------------------------------------------------


def _list_attachments_once(pdf: Any) -> None:
    if "AF" in pdf.catalog:
        pdf.catalog["AF"] = pydyf.Array(dict.fromkeys(pdf.catalog["AF"]))


# --- Metadata (ISO 16684-1, 7.3) ------------------------------------------------------------------


def _leave_metadata_plain(pdf: Any) -> None:
    """Leave XMP uncompressed, so that a program finds it without parsing PDF.

    MuPDF 1.25 reads these bytes unchanged from the file: compressed ones are a "syntax error in
    element" to it.
    """
    found = next(item for item in pdf.objects if item.reference == pdf.catalog["Metadata"])
    found.compress = False
