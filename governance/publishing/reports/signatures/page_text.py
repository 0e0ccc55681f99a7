"""The text that a PDF page shows, read with each font's own table (ISO 32000-2, 9.10.3)."""

import re
from typing import Any

import pikepdf


def page_text(page: pikepdf.Page) -> str:
    """Return the text that the page shows, in painting order."""
    fonts = {
        name: _table(font)
        for name, font in page.resources.get("/Font", pikepdf.Dictionary()).items()
    }
    table: dict[bytes, str] = {}
    parts = []
    for each in pikepdf.parse_content_stream(page):
        operands: list[Any] = list(each.operands)
        match str(each.operator):
            case "Tf":
                table = fonts.get(str(operands[0]), {})
            case "Tj" | "TJ" as operator:
                pieces = operands[0] if operator == "TJ" else operands
                parts += [
                    _decode(bytes(piece), table)
                    for piece in pieces
                    if isinstance(piece, pikepdf.String)
                ]
            case _:
                pass
    return "".join(parts)


def _decode(codes: bytes, table: dict[bytes, str]) -> str:
    return "".join(
        table.get(codes[at : at + 2], "\N{REPLACEMENT CHARACTER}") for at in range(0, len(codes), 2)
    )


def _table(font: Any) -> dict[bytes, str]:
    """Return the map from two-byte codes to text, from the lists and ranges of the ToUnicode map."""
    if "/ToUnicode" not in font:
        return {}
    cmap = bytes(font.ToUnicode.read_bytes()).decode("latin-1")
    table = {}
    for block in re.findall(r"beginbfchar(.*?)endbfchar", cmap, re.DOTALL):
        for code, text in re.findall(r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>", block):
            table[bytes.fromhex(code)] = _utf16(text)
    for block in re.findall(r"beginbfrange(.*?)endbfrange", cmap, re.DOTALL):
        for first, last, text in re.findall(
            r"<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]{4})>", block
        ):
            for step in range(int(last, 16) - int(first, 16) + 1):
                table[(int(first, 16) + step).to_bytes(2, "big")] = chr(int(text, 16) + step)
    return table


def _utf16(text: str) -> str:
    return bytes.fromhex(text).decode("utf-16-be", errors="replace")
