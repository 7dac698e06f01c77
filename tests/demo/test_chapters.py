"""Chapters that are published while the demo site runs."""

from __future__ import annotations

import httpx
import pytest

from demo.server import RunningDemo


def test_a_published_chapter_is_there_until_the_reset(demo: RunningDemo) -> None:
    def page() -> str:
        return httpx.get(f"{demo.html_url}/photo/205242", follow_redirects=True).text

    before = page()
    number = demo.publish_chapter("205238")
    published = page()
    demo.reset()

    assert number == "205242"
    assert "00008.webp" in published
    assert "00009.webp" not in published
    assert "00008.webp" not in before
    assert page() == before


@pytest.mark.parametrize(("body", "status"), [({"album": 205238}, 201), ({"album": 1}, 400), ({}, 400), ([], 400)])
def test_another_process_publishes_a_chapter(demo: RunningDemo, body: object, status: int) -> None:
    answer = httpx.post(f"{demo.api_url}/_demo/chapters", json=body)

    assert answer.status_code == status
    if status == 201:
        assert answer.json() == {"chapter": 205242, "title": "新章 5"}
        assert httpx.delete(f"{demo.api_url}/_demo/chapters").status_code == 204
