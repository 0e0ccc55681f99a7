"""The hook that checks the subject of a commit, as Git runs it."""

import os
import shutil
import subprocess

import pytest

from tests.conftest import REPOSITORY
from tools.commit_message import MAX_LENGTH, problems, subject_of


@pytest.mark.parametrize(
    "subject",
    [
        "evidence: reject uploads whose type contradicts their name",
        "evaluations, reports: name a measure once in what was read of a run",
        "kernel/db: keep one transaction for each request",
        "x: " + "y" * (MAX_LENGTH - 3),
        "Merge branch 'proof'",
        'Revert "evidence: reject uploads."',
        "fixup! evidence: reject uploads",
    ],
)
def test_a_subject_with_its_area_is_accepted(subject):
    assert problems(subject) == []


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("", "Begin with the area"),
        ("Reject uploads", "Begin with the area"),
        ("Evidence: reject uploads", "Begin with the area"),
        ("evidence:reject uploads", "Begin with the area"),
        ("evidence : reject uploads", "Begin with the area"),
        ("evidence: ", "Begin with the area"),
        ("evidence: reject uploads.", "full stop"),
        ("x: " + "y" * (MAX_LENGTH - 2), f"these are {MAX_LENGTH + 1}"),
    ],
)
def test_another_one_is_rejected_and_says_what_to_change(subject, said):
    assert said in " ".join(problems(subject))


def test_comments_and_empty_lines_before_it_are_left_out():
    assert subject_of("# written by git\n\n  a: b  \n\nbody.\n") == "a: b"


def test_git_asks_the_hook_once_it_is_installed(tmp_path):
    for name in ("Makefile", "tools/hooks/commit-msg", "tools/commit_message.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / name, tmp_path / name)
    alone = {"HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}

    def run(*command):
        return subprocess.run(
            command, check=False, cwd=tmp_path, env=alone, capture_output=True, text=True
        )

    def commit(subject):
        who = ("-c", "user.name=Ana", "-c", "user.email=ana@acme.example")
        return run("git", *who, "commit", "--allow-empty", "--quiet", "--message", subject)

    assert run("git", "init", "--quiet").returncode == 0
    assert commit("No area").returncode == 0, "nothing is installed unless somebody asks for it"
    assert run("make", "hooks").returncode == 0
    refused = commit("No area.")
    assert refused.returncode == 1
    assert "Begin with the area" in refused.stderr and "full stop" in refused.stderr
    assert commit("evidence: reject uploads").returncode == 0
    subjects = run("git", "log", "--format=%s").stdout.splitlines()
    assert subjects == ["evidence: reject uploads", "No area"]
