"""The author of an edit, verified with GitHub."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import pytest
from starlette.responses import JSONResponse

from services.ehtag import EditorRules, GitHubIdentity, GitHubUser, open_identity
from services.errors import ErrorCode, Forbidden, Unauthenticated, UpstreamFailure
from tests.github import GOOD_TOKEN, NEW_TOKEN, OTHER_TOKEN, GitHub, user

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
    github.answers["gho_odd"] = JSONResponse(answer)
    async with open_identity(github.url) as identity:
        with pytest.raises(UpstreamFailure):
            await identity.verify("gho_odd")


ONLY_COOK = EditorRules(frozenset({"cook"}))
FIFTEEN_DAYS = EditorRules(min_account_age=timedelta(days=15))


@pytest.mark.parametrize(
    ("rules", "token"),
    [
        (EditorRules(), NEW_TOKEN),
        (ONLY_COOK, GOOD_TOKEN),
        (ONLY_COOK, "gho_capital"),
        (FIFTEEN_DAYS, GOOD_TOKEN),
    ],
)
async def test_who_may_edit_by_the_rules_is_let_in(github: GitHub, rules: EditorRules, token: str) -> None:
    github.answers["gho_capital"] = user("Cook", 7)
    async with open_identity(github.url, rules) as identity:
        assert await identity.verify(token)


@pytest.mark.parametrize(
    ("rules", "token", "reason"),
    [
        (ONLY_COOK, OTHER_TOKEN, "gardener is not among those who may edit"),
        (FIFTEEN_DAYS, NEW_TOKEN, "newcomer must be 15 days old"),
    ],
)
async def test_who_may_not_edit_is_refused_each_time_and_github_asked_once(
    github: GitHub, rules: EditorRules, token: str, reason: str
) -> None:
    async with open_identity(github.url, rules) as identity:
        for _ in range(2):
            with pytest.raises(Forbidden, match=reason):
                await identity.verify(token)

    assert github.tokens == [token]


@pytest.mark.parametrize("created_at", [None, "yesterday", 7])
async def test_an_account_of_unknown_age_is_no_editor_where_the_age_counts(
    github: GitHub, created_at: object
) -> None:
    github.answers["gho_odd"] = JSONResponse({"login": "odd", "id": 1, "created_at": created_at})
    async with open_identity(github.url, FIFTEEN_DAYS) as strict, open_identity(github.url) as lenient:
        assert await lenient.verify("gho_odd") == GitHubUser("odd", 1)
        with pytest.raises(UpstreamFailure, match="how old"):
            await strict.verify("gho_odd")


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
