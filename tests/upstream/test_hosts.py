from __future__ import annotations

import pytest

from services.errors import UpstreamReason
from services.upstream.hosts import FIRST_COOLDOWN_S, LONGEST_COOLDOWN_S, Host, Hosts
from services.upstream.records import HostRole
from tests.fakes import Clock

A, B, C = "https://a.example", "https://b.example", "https://c.example"
DOWN = UpstreamReason.UNREACHABLE


@pytest.fixture
def hosts(clock: Clock) -> Hosts:
    return Hosts(HostRole.API, (A, B, C), clock)


def named(hosts: Hosts, url: str) -> Host:
    return next(host for host in hosts if host.url == url)


def fail(
    hosts: Hosts, url: str, clock: Clock, reason: UpstreamReason = DOWN, cooldown_s: float | None = None
) -> None:
    began_at = clock.now
    clock.move(0.01)
    hosts.note_failure(named(hosts, url), reason, began_at=began_at, cooldown_s=cooldown_s)


def chosen(hosts: Hosts, **tries: int) -> str | None:
    host = hosts.choose({A: 3, B: 3, C: 3} | {{"a": A, "b": B, "c": C}[name]: left for name, left in tries.items()})
    return host.url if host else None


def test_healthy_hosts_are_asked_in_the_order_given(hosts: Hosts) -> None:
    assert chosen(hosts) == A
    assert chosen(hosts, a=2) == B
    assert chosen(hosts, a=2, b=2) == C
    assert chosen(hosts, a=2, b=2, c=2) == A


def test_no_host_is_left_when_all_attempts_are_used(hosts: Hosts) -> None:
    assert chosen(hosts, a=0, b=0, c=0) is None


def test_a_failing_host_is_asked_again_after_its_cooldown(hosts: Hosts, clock: Clock) -> None:
    fail(hosts, A, clock)

    assert chosen(hosts) == B
    clock.move(FIRST_COOLDOWN_S)
    assert chosen(hosts) == A


def test_a_host_in_cooldown_is_asked_when_no_other_has_an_attempt_left(hosts: Hosts, clock: Clock) -> None:
    fail(hosts, A, clock)

    assert chosen(hosts, b=0, c=0) == A


def test_of_hosts_in_cooldown_the_one_that_ends_first_is_asked(hosts: Hosts, clock: Clock) -> None:
    for url in (C, A, B):
        fail(hosts, url, clock)
        clock.move(1)

    assert chosen(hosts) == C


def test_a_cooldown_doubles_with_every_failure_up_to_a_limit(hosts: Hosts, clock: Clock) -> None:
    cooldowns_s = []
    for _ in range(9):
        fail(hosts, A, clock)
        cooldowns_s.append(hosts.cooldown_left_s(named(hosts, A)))

    assert cooldowns_s == pytest.approx(
        [5, 10, 20, 40, 80, 160, LONGEST_COOLDOWN_S, LONGEST_COOLDOWN_S, LONGEST_COOLDOWN_S]
    )


def test_attempts_that_fail_together_count_once(hosts: Hosts, clock: Clock) -> None:
    began_at = clock.now
    clock.move(1)
    for _ in range(16):
        hosts.note_failure(named(hosts, A), DOWN, began_at=began_at)

    assert hosts.cooldown_left_s(named(hosts, A)) == FIRST_COOLDOWN_S


def test_a_success_resets_the_failures(hosts: Hosts, clock: Clock) -> None:
    for _ in range(6):
        fail(hosts, A, clock)

    hosts.note_answer(named(hosts, A), 0.1)

    assert chosen(hosts) == A
    assert hosts.statuses()[0].healthy
    assert hosts.statuses()[0].reason is None


def test_one_unreadable_answer_does_not_make_a_host_unhealthy(hosts: Hosts, clock: Clock) -> None:
    for healthy in (True, True, False):
        fail(hosts, A, clock, UpstreamReason.GARBLED)
        assert hosts.statuses()[0].healthy is healthy


def test_the_cooldown_that_a_host_asks_for_is_kept(hosts: Hosts, clock: Clock) -> None:
    fail(hosts, A, clock, UpstreamReason.RATE_LIMITED, cooldown_s=42)

    assert hosts.cooldown_left_s(named(hosts, A)) == pytest.approx(42)


def test_a_host_that_fails_again_and_again_gets_one_attempt(hosts: Hosts, clock: Clock) -> None:
    for _ in range(5):
        fail(hosts, A, clock)

    assert hosts.tries(3) == {A: 1, B: 3, C: 3}


def test_a_much_slower_host_comes_after_the_others(hosts: Hosts, clock: Clock) -> None:
    hosts.note_answer(named(hosts, A), 3.0)
    hosts.note_answer(named(hosts, B), 0.2)

    assert chosen(hosts) == B
    clock.move(301)
    assert chosen(hosts) == A


def test_latency_is_a_moving_mean(hosts: Hosts) -> None:
    hosts.note_answer(named(hosts, A), 0.1)
    hosts.note_answer(named(hosts, A), 0.2)

    assert hosts.statuses()[0].latency_ms == pytest.approx(130.0)


def test_a_host_that_stays_in_the_list_keeps_its_record(hosts: Hosts, clock: Clock) -> None:
    fail(hosts, B, clock)

    hosts.replace((B, "https://d.example"))

    assert [(host.url, host.healthy) for host in hosts.statuses()] == [(B, False), ("https://d.example", True)]


def test_credentials_of_an_address_are_not_shown(clock: Clock) -> None:
    hosts = Hosts(HostRole.API, ("https://user:secret@a.example:8443",), clock)

    assert hosts.statuses()[0].url == "https://a.example:8443"
