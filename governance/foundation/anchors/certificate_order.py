"""Put the certificates in a time-stamp reply (RFC 3161) into the order that DER demands. Pure.

DER sorts the members of a SET, but `openssl ts -reply -chain` and some authorities write their chain
as it is. The certificates are not covered by the signature, so sorting them changes nothing that
was signed, and the reply keeps its length.
"""

from collections.abc import Iterator

CERTIFICATES = 0xA0  # The tag of a field of SignedData.
LONG_FORM = 0x80
MAX_LENGTH_BYTES = 4


def sorted_certificates(reply: bytes) -> bytes:
    """Return the reply with sorted certificates, or unchanged if it isn't such a reply."""
    try:
        start, end = 0, len(reply)
        # The path is TimeStampResp, its token, the token's content, SignedData.
        for place in (0, 1, 1, 0):
            _, start, end = _elements(reply, start, end)[place]
        found = [each for each in _elements(reply, start, end) if each[0] == CERTIFICATES]
        if not found:
            return reply
        _, start, end = found[0]
        parts, at = [], start
        for _, _, stop in _elements(reply, start, end):
            parts.append(reply[at:stop])
            at = stop
    except (IndexError, ValueError):
        return reply
    return reply[:start] + b"".join(sorted(parts)) + reply[end:]


def _elements(der: bytes, start: int, end: int) -> list[tuple[int, int, int]]:
    """Return (tag, first byte of the content, end) of each element between these places."""
    return list(_read(der, start, end))


def _read(der: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    while start < end:
        tag, length, content = der[start], der[start + 1], start + 2
        if length >= LONG_FORM:
            count = length - LONG_FORM
            if not 0 < count <= MAX_LENGTH_BYTES:
                raise ValueError("not DER")
            length, content = int.from_bytes(der[content : content + count]), content + count
        start = content + length
        if start > end:
            raise ValueError("not DER")
        yield tag, content, start
