"""Verify an audit log export or an evidence package of Meridian with Python (3.9 or newer) alone.

    python3 -I -S verify_meridian.py PATH --key KEY [--checkpoint OLDER] [--whole]

PATH: an export (.jsonl), a package (.zip), or the folder of an unpacked package. KEY: the verifier
key of the log, or a file with one per line; take it from the engagement letter, not the package.
OLDER: a file with a checkpoint that you kept. --whole: every entry up to the checkpoint must be
there, from the first one of the log (of a package: from the first one in it).
Exit status: 0 = verified, 1 = something is wrong, 2 = something you asked for can't be checked.
Sources: docs/audit-export-format.md of Meridian, RFC 8032, RFC 6962 and 9162, C2SP signed-note and
tlog-checkpoint, RFC 8493. Samples aren't redrawn; `governance verify-package` does that.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
import zipfile
from functools import reduce
from pathlib import Path

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
RESTORED = re.compile(r"(/audit/[^/]+)/restored-\d+$")  # a log that went on after a restore


class NotChecked(Exception):
    """Nothing is wrong, but something you asked for can't be checked."""


def require(condition, sentence, error=ValueError):
    if not condition:
        raise error(sentence)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def decoded(text):
    raw = base64.b64decode(text, validate=True)
    require(base64.b64encode(raw).decode() == text, "A hash or signature is damaged.")
    return raw


def add(p, q):  # points of the curve as (X, Y, Z, T): RFC 8032, 5.1.4
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(number, point):
    total = (0, 1, 1, 0)
    for bit in bin(number)[2:]:
        total = add(add(total, total), point) if bit == "1" else add(total, total)
    return total


def point_of(raw):  # RFC 8032, 5.1.3
    y, sign = int.from_bytes(raw, "little") & (2**255 - 1), raw[31] >> 7
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    x = x if (x * x - x2) % P == 0 else x * pow(2, (P - 1) // 4, P) % P
    require(y < P and (x * x - x2) % P == 0 and (x or not sign), "A key is not on the curve.")
    return (x, y, 1, x * y % P) if x & 1 == sign else (P - x, y, 1, (P - x) * y % P)


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signed(public, message, signature):  # RFC 8032, 5.1.7
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    h = int.from_bytes(hashlib.sha512(r + public + message).digest(), "little") % L
    x, y, z, _ = add(multiply(s, BASE), multiply(L - h, point_of(public)))  # R = sB - hA
    x, y = (each * pow(z, P - 2, P) % P for each in (x, y))
    return len(signature) == 64 and s < L and r == (y | (x & 1) << 255).to_bytes(32, "little")


def read_key(line):
    """Return ((name, key ID), public key) of a verifier key."""
    name, key_id, encoded = line.strip().split("+", 2)
    raw = decoded(encoded)
    found = sha256(name.encode(), b"\n", raw)[:4]
    require(len(raw) == 33 and raw[0] == 1 and found.hex() == key_id, "A key is damaged.")
    return (name, found), raw[1:]


def open_note(note, keys):
    """Return (signer, text) of a signed note, once one of these keys signed it."""
    text, _, lines = note.rpartition("\n\n")
    for dash, name, encoded in (line.split(" ") for line in lines.split("\n")[:-1]):
        raw = decoded(encoded)
        public = keys.get((name, raw[:4]))
        if dash == "\N{EM DASH}" and public and is_signed(public, f"{text}\n".encode(), raw[4:]):
            require(lines.endswith("\n"), "A signature is damaged.")
            return name, f"{text}\n"
    raise ValueError("None of your keys signed this, or what they signed was changed.")


def open_checkpoint(note, keys):
    """Return (log, size, root)."""
    name, text = open_note(note, keys)
    log, size, root = text.split("\n")[:3]
    require(log == name, "A checkpoint was signed by the key of another log.")
    return log, int(size), decoded(root)


def root_from(node, index, size, path):  # RFC 9162, 2.1.3.2
    last = size - 1
    for each in path:
        is_left = not index & 1 and index != last
        node = sha256(b"\1", node, each) if is_left else sha256(b"\1", each, node)
        while not is_left and index and not index & 1:
            index, last = index >> 1, last >> 1
        require(last, "A proof is too long.")
        index, last = index >> 1, last >> 1
    return None if last else node


def verify_log(lines, keys, older, whole, is_part=False):
    """Check an export, and return (log, size, root)."""
    digest, header, end, places = hashlib.sha256(), None, None, []
    tree, size, roots = [], 0, {}  # complete subtrees (level, hash), the largest first
    for number, line in enumerate(lines, 1):
        found, nodes = json.loads(line), []
        text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        require(f"{text}\n".encode() == line and not end, f"Line {number} is damaged.")
        if not header:
            header, (log, total, root) = found, open_checkpoint(found["checkpoint"], keys)
            right = found["format"] == "governance.audit-export/3" and found["origin"] == log
            require(right, "The first line is damaged, or of another format or log.")
            kind, sizes = found["kind"], {total, older[1] if older else total}
        elif "entry" in found:
            place, leaf = found["index"], sha256(b"\0", found["entry"].encode())
            step = place - places[-1] if places else 1
            require(step == 1 or (kind == "filtered" and step > 1), f"A gap before line {number}.")
            found = root_from(leaf, place, total, [decoded(each) for each in found["proof"]])
            require(0 <= place < total and found == root, f"Entry {place} isn't in the signed log.")
            places.append(place)
            nodes = [(0, leaf)] if kind == "whole" else []
        elif "hashes" in found:
            level, raw = found["level"], decoded(found["hashes"])
            right = kind != "whole" and found["place"] == size and 0 <= level < 64
            require(right and size % 2**level == 0, f"A gap in the hashes before line {number}.")
            nodes = [(level, raw[at : at + 32]) for at in range(0, len(raw), 32)]
        else:
            end, signed = found, digest.hexdigest()
        digest.update(line)
        for level, node in nodes:
            size += 2**level
            while tree and tree[-1][0] == level:
                level, node = level + 1, sha256(b"\1", tree.pop()[1], node)
            tree.append((level, node))
            if size in sizes:
                rising = [each for _, each in reversed(tree)]
                roots[size] = reduce(lambda right, left: sha256(b"\1", left, right), rising)
    require(end and places, "The export has no entries, or was cut short.")
    first, last = places[0], places[-1]
    right = (end["entries"], end["first"], end["last"]) == (len(places), first, last)
    require(right and roots.get(total) == root, "Entries or hashes are missing or changed.")
    ends = (0, total - 1) if kind == "whole" else (header["first"], header["last"])
    require(kind == "filtered" or ends == (first, last), "Entries are missing.")
    right = list(end) == ["entries", "first", "last", "signature"]
    require(right and end["signature"].count("\n") == 5, "The last line is damaged.")
    name, text = open_note(end["signature"], keys)
    right = text == f"governance audit export v3\n{log}\nsha256 {signed}\n"
    same = [RESTORED.sub(r"\1", each) for each in (log, name, older[0] if older else log)]
    require(right and same[0] == same[1], "The export was changed after it was signed.")
    print(f"ok    {len(places):,} entries ({kind}, {first} to {last}) of {total:,} in {log}")
    enough = kind != "filtered" and last == total - 1 and (first == 0 or is_part)
    require(enough or not whole, "You asked for every entry; this has only some.", NotChecked)
    if older:
        right = same[2] == same[0] and older[1] in roots
        require(right, "Your checkpoint is of another log, or no hash ends there.", NotChecked)
        require(roots[older[1]] == older[2], "The log was rewritten since your checkpoint.")
        print(f"ok    The log continues your checkpoint of {older[1]:,} entries.")
    return log, total, root


def verify_package(names, opened, folder, keys, older, whole):
    """Check a package: its files by their paths in its folder, and its log."""

    def content(path):
        return opened(path).read(2**26).decode()

    signer, text = open_note(content("manifest-sha256.sig"), keys)
    title, name, tags = text.split("\n")[:3]
    tagged = content("tagmanifest-sha256.txt")
    found = f"tagmanifest-sha256 {hashlib.sha256(tagged.encode()).hexdigest()}"
    right = (title, tags) == ("governance evidence package v1", found)
    require(right and folder in (None, name), "The package isn't the one that was signed.")
    lines = (tagged + content("manifest-sha256.txt")).splitlines()
    digests = {line[66:]: line[:64] for line in lines}
    signed = [*digests, "tagmanifest-sha256.txt", "manifest-sha256.sig"]
    other = sorted(set(names) ^ set(signed))
    require(sorted(names) == sorted(signed), f"Missing, extra or twice: {other[:3]}")
    for path, expected in digests.items():
        digest, file = hashlib.sha256(), opened(path)
        while piece := file.read(2**20):
            digest.update(piece)
        require(digest.hexdigest() == expected, f"{path} was changed.")
    print(f"ok    {len(digests):,} files of {name} are as {signer} signed them")
    head = verify_log(opened("data/audit-log/extract.jsonl"), keys, older, whole, is_part=True)
    found = open_checkpoint(content("data/audit-log/checkpoint.txt"), keys)
    require(found == head, "The package's checkpoint isn't the one of its log.")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--key", required=True)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--whole", action="store_true")
    given = parser.parse_args()
    status, said, path = 2, "Verified.", given.path
    try:
        lines = (given.key if "+" in given.key else Path(given.key).read_text()).splitlines()
        keys = dict(read_key(line) for line in lines if line.strip() and line[0] != "#")
        require(keys, "No key was given.")
        older = given.checkpoint and open_checkpoint(given.checkpoint.read_text("utf-8"), keys)
        status = 1
        if path.is_dir():
            names = [f.relative_to(path).as_posix() for f in path.rglob("*") if f.is_file()]
            verify_package(names, lambda n: (path / n).open("rb"), None, keys, older, given.whole)
        elif zipfile.is_zipfile(path):
            file = zipfile.ZipFile(path)
            folder = file.namelist()[0].split("/")[0]
            names = [each[len(folder) + 1 :] for each in file.namelist()]
            opened = lambda name: file.open(f"{folder}/{name}")  # noqa: E731 - as in the folder's case
            verify_package(names, opened, folder, keys, older, given.whole)
        else:
            verify_log(path.open("rb"), keys, older, given.whole)
        status = 0
    except NotChecked as problem:
        status, said = 2, str(problem)
    except Exception as problem:  # whatever a damaged file makes of it is a refusal
        said = f"{problem} ({type(problem).__name__})"
    print({0: "", 1: "Do not rely on it. ", 2: "Not checked. "}[status] + said)
    sys.exit(status)


if __name__ == "__main__":
    main()
