"""Answers that are kept as bytes."""

from __future__ import annotations

from schema.http.response_cache import Answer, Answers


def test_caches_count_from_the_birth_of_the_oldest_part() -> None:
    answer = Answer(b'{"data":{}', age_s=400, fresh_for_s=200.5, is_stale=False)

    assert answer.max_age_s == 600  # beside `Age: 400`, which they take off


def test_what_is_stale_is_kept_by_no_cache() -> None:
    assert Answer(b'{"data":{}', age_s=5000, fresh_for_s=0, is_stale=True).max_age_s == 0


def test_a_long_question_takes_the_room_of_its_text() -> None:
    answers = Answers(most_bytes=20_000)
    answer = Answer(b'{"data":{}', age_s=0, fresh_for_s=60, is_stale=False)

    answers.keep(("a" * 12_000, b""), answer)
    answers.keep(("b" * 12_000, b""), answer)

    assert answers.find(("a" * 12_000, b"")) is None
    assert answers.find(("b" * 12_000, b"")) is answer
