"""The demo's progress: printed once a month, and shown on the sign-in page until the end."""

from datetime import date

import pytest

from governance.demo.progress import StoryProgress


def test_each_month_is_said_once_and_the_sentence_goes_with_the_story(tmp_path):
    file, said = tmp_path / "notice.txt", list[str]()
    with StoryProgress(file, said.append) as told:
        for day in (date(2026, 2, 27), date(2026, 3, 1), date(2026, 3, 30)):
            told(day)
        assert "has reached March 2026" in file.read_text()
    assert said == ["  told up to February 2026", "  told up to March 2026"]
    assert not file.exists()


def test_a_step_of_an_earlier_day_does_not_take_the_story_back(tmp_path):
    file, said = tmp_path / "notice.txt", list[str]()
    with StoryProgress(file, said.append) as told:
        told(date(2026, 3, 30))
        told(date(2026, 2, 27))
        assert "March 2026" in file.read_text() and len(said) == 1


def test_a_story_that_fails_leaves_no_sentence_behind(tmp_path):
    file = tmp_path / "notice.txt"
    with pytest.raises(LookupError), StoryProgress(file, lambda _said: None) as told:
        told(date(2026, 3, 30))
        raise LookupError
    assert not file.exists()
