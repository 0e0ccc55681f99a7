"""Check the subject of a commit: `area: what it does now`, in the form of CONTRIBUTING.md.

    python3 tools/commit_message.py .git/COMMIT_EDITMSG      as git's hook commit-msg does

Exits with 1 and prints what to change.
"""

import re
import sys
from pathlib import Path

MAX_LENGTH = 72
# Subjects that Git writes itself, and commits that a rebase squashes.
WRITTEN_BY_GIT = re.compile(r"(Merge|Revert|fixup!|squash!|amend!) ?")
AREAS = re.compile(r"[a-z][\w./-]*(, [a-z][\w./-]*)*: \S")


def problems(subject: str) -> list[str]:
    """Return what to change in a subject, or nothing for a valid one."""
    if WRITTEN_BY_GIT.match(subject):
        return []
    found = []
    if not AREAS.match(subject):
        found.append("Begin with the area: `evidence: reject uploads that contradict their name`.")
    if len(subject) > MAX_LENGTH:
        found.append(f"Use up to {MAX_LENGTH} characters; these are {len(subject)}.")
    if subject.endswith("."):
        found.append("End without a full stop.")
    return found


def subject_of(message: str) -> str:
    """Return the first line that isn't a comment."""
    lines = (line.strip() for line in message.splitlines() if not line.startswith("#"))
    return next(filter(None, lines), "")


def main() -> int:
    subject = subject_of(Path(sys.argv[1]).read_text(encoding="utf-8"))
    found = problems(subject)
    if found:
        sys.stderr.write("\n".join([f"Subject: {subject}", *found]) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
