"""The author of an edit, verified with GitHub."""

from __future__ import annotations

import asyncio
import logging

import pytest

from services.ehtag import GitHubIdentity, GitHubUser, open_identity
from services.errors import ErrorCode, Unauthenticated, UpstreamFailure
from tests.github import GOOD_TOKEN, GitHub, user

pytestmark = pytest.mark.anyio


async def test_a_valid_token_gives_a_user_with_an_address(github: GitHub) -> None:
    async with open_identity(github.url) as identity:
        found = await identity.verify(GOOD_TOKEN)

    assert found == GitHubUser("cook", 7)
    assert found.author.name == "cook"
    assert found.author.email == "7+cook@users.noreply.github.com"


async def test_concurrent_checks_of_a_token_send_one_request(github: GitHub) -> None:
    async with open_identity(github.url) as identity:
        await asyncio.gather(*(identity.verify(GOOD_TOKEN) for _ in range(20)))
        await identity.verify(f" {GOOD_TOKEN} ")

    assert github.tokens == [GOOD_TOKEN]


async def test_a_refused_token_is_asked_again(github: GitHub) -> None:
    async with open_identity(github.url) as identity:
        with pytest.raises(Unauthenticated):
            await identity.verify("gho_new")
        github.answers["gho_new"] = user("newcomer", 9)

        assert await identity.verify("gho_new") == GitHubUser("newcomer", 9)


@pytest.mark.parametrize("token", [None, "", "  ", "two words", "gho_\u00e4", "x" * 513, "line\nbreak"])
async def test_an_impossible_token_is_not_sent_to_github(github: GitHub, token: str | None) -> None:
    async with open_identity(github.url) as identity:
        with pytest.raises(Unauthenticated):
            await identity.verify(token)

    assert github.tokens == []


@pytest.mark.parametrize("token", ["gho_unknown", "gho_suspended"])
async def test_a_token_github_refuses_is_refused_with_the_reason(github: GitHub, token: str) -> None:
    async with open_identity(github.url) as identity:
        with pytest.raises(Unauthenticated, match="GitHub refused this token"):
            await identity.verify(token)


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("gho_broken", ErrorCode.UPSTREAM_BROKEN),
        ("gho_busy", ErrorCode.UPSTREAM_UNAVAILABLE),
        ("gho_down", ErrorCode.UPSTREAM_UNAVAILABLE),
    ],
)
async def test_a_failure_of_github_does_not_refuse_the_token(github: GitHub, token: str, code: ErrorCode) -> None:
    async with open_identity(github.url) as identity:
        with pytest.raises(UpstreamFailure) as failure:
            await identity.verify(token)

    assert failure.value.error_code is code


async def test_an_unreachable_github_does_not_refuse_the_token() -> None:
    async with open_identity("http://127.0.0.1:9") as identity:
        with pytest.raises(UpstreamFailure, match="can't be reached"):
            await identity.verify(GOOD_TOKEN)


@pytest.mark.parametrize("answer", [{"login": "a b", "id": 1}, {"login": "x>", "id": 1}, {"login": "a"}, []])
async def test_an_invalid_answer_becomes_no_author(github: GitHub, answer: object) -> None:
    from starlette.responses import JSONResponse

    github.answers["gho_odd"] = JSONResponse(answer)
    async with open_identity(github.url) as identity:
        with pytest.raises(UpstreamFailure):
            await identity.verify("gho_odd")


async def test_tokens_are_in_no_log_and_no_representation(
    github: GitHub, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with open_identity(github.url) as identity:
        await identity.verify(GOOD_TOKEN)
        with pytest.raises(Unauthenticated):
            await identity.verify("gho_unknown")
        seen = repr(vars(identity))

    shown = caplog.text + seen + "".join(capsys.readouterr())
    assert "gho_" not in shown
    assert isinstance(identity, GitHubIdentity)
