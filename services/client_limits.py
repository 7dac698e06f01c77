"""Budgets of clients: how many requests each may send in a minute, and how many calls to the site they may cost.

A client's tokens are counted in this process, and a few times a second together with those of the other processes in
Redis: a request costs a look-up and no round trip. While Redis is unavailable, nobody is refused.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from services.errors import RateLimited, RatePolicy
from services.redis import RedisClient, RedisUnavailable
from services.tasks import cancel_and_wait

log = structlog.get_logger("jmgraph.limits")

WINDOW_S = 60.0
"""The span of the budgets: a client may spend a whole one at once, and gets it back evenly in this time."""

SYNC_INTERVAL_S = 0.1
"""Other processes learn so late what a client has spent here."""

REDIS_TIMEOUT_S = 1.0

MAX_CLIENTS = 10_000
"""In this process; of more, the first to come are known to Redis alone until they come again."""

_PREFIX = "jmgraph:client:"
_SCRIPT = Path(__file__).with_name("client_limits.lua")


class TokenBucket:
    """Tokens of one client, as far as this process knows. `spent` are those that Redis does not know of yet."""

    __slots__ = ("_counted_at", "_per_s", "_tokens", "policy", "spent")

    def __init__(self, policy: RatePolicy, now: float) -> None:
        self.policy = policy
        self.spent = 0.0
        self._per_s = policy.limit / policy.window_s
        self._tokens = float(policy.limit)
        self._counted_at = now

    def wait_s(self, tokens: float, now: float) -> float:
        """Seconds until so many tokens are there; 0 when they are."""
        self._tokens = min(self.policy.limit, self._tokens + (now - self._counted_at) * self._per_s)
        self._counted_at = now
        return 0.0 if self._tokens >= tokens else (tokens - self._tokens) / self._per_s

    def spend(self, tokens: float) -> None:
        """Take tokens, also such as are not there yet; a negative number gives some back."""
        self._tokens -= tokens
        self.spent += tokens

    def settle(self, told: float, tokens: float, now: float) -> None:
        """Redis was told of `told` tokens and has this many left; what was spent meanwhile is still to be told."""
        self.spent -= told
        self._tokens = tokens - self.spent
        self._counted_at = now


class ClientBudget:
    """What one client may still do."""

    __slots__ = ("_calls", "_limits", "_requests", "name")

    def __init__(
        self, limits: ClientLimits, name: str, requests: TokenBucket | None, calls: TokenBucket | None
    ) -> None:
        self.name = name
        self._limits = limits
        self._requests = requests
        self._calls = calls

    @property
    def buckets(self) -> Iterator[TokenBucket]:
        """Those that have a limit."""
        return (bucket for bucket in (self._requests, self._calls) if bucket)

    def take_request(self, weight: float = 1.0) -> None:
        """Count a request, of which some weigh less than one. Raises `RateLimited` for one too many."""
        if (bucket := self._requests) is None:
            return
        if (wait_s := self._limits.wait_s(bucket, weight)) > 0:
            raise RateLimited("Too many requests.", wait_s, bucket.policy)
        self._limits.spend(self, bucket, weight)

    def refusal(self, weight: float) -> RateLimited | None:
        """Why no call of this weight may be made to the site for this client now; None when one may."""
        if (bucket := self._calls) is None or (wait_s := self._limits.wait_s(bucket, weight)) <= 0:
            return None
        return RateLimited("Too many requests that the site must be called for.", wait_s, bucket.policy)

    def charge(self, weight: float) -> None:
        """Count calls to the site of this weight; a negative one gives some back."""
        if self._calls is not None:
            self._limits.spend(self, self._calls, weight)


class ClientLimits:
    """The budgets of all clients; built by `open_client_limits`. A limit of 0 is none."""

    def __init__(
        self, redis: RedisClient, *, requests: int, site_calls: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._redis = redis.with_timeout(REDIS_TIMEOUT_S)
        self._script = self._redis.register_script(_SCRIPT.read_text("utf-8"))
        self._policies = (
            RatePolicy("requests", requests, WINDOW_S) if requests else None,
            RatePolicy("site-calls", site_calls, WINDOW_S) if site_calls else None,
        )
        self._clock = clock
        self._budgets: dict[str, ClientBudget] = {}
        self._unsettled: dict[str, ClientBudget] = {}
        self._has_unsettled = asyncio.Event()
        self._knows_redis = False

    def of(self, client: str) -> ClientBudget:
        """The budget of the client of this name."""
        budget = self._budgets.get(client)
        return self._new_budget(client) if budget is None else budget

    def _new_budget(self, client: str) -> ClientBudget:
        now = self._clock()
        if len(self._budgets) >= MAX_CLIENTS:
            del self._budgets[next(iter(self._budgets))]
        requests, calls = (policy and TokenBucket(policy, now) for policy in self._policies)
        budget = self._budgets[client] = ClientBudget(self, client, requests, calls)
        return budget

    def wait_s(self, bucket: TokenBucket, tokens: float) -> float:
        """Seconds until a bucket has so many tokens; 0 while Redis is unavailable."""
        return bucket.wait_s(tokens, self._clock()) if self._knows_redis else 0.0

    def spend(self, budget: ClientBudget, bucket: TokenBucket, tokens: float) -> None:
        """Take tokens of a client, for Redis to be told of."""
        bucket.spend(tokens)
        if not self._unsettled:
            self._has_unsettled.set()
        self._unsettled[budget.name] = budget

    async def settle(self) -> None:
        """Tell Redis what was spent here, and learn what is left."""
        budgets, self._unsettled = self._unsettled, {}
        self._has_unsettled.clear()
        told = [(budget, bucket, bucket.spent) for budget in budgets.values() for bucket in budget.buckets]
        keys = [f"{_PREFIX}{bucket.policy.name}:{budget.name}" for budget, bucket, _ in told]
        args = [value for _, bucket, spent in told for value in (bucket.policy.limit, bucket.policy.window_s, spent)]
        try:
            left = await self._script(keys=keys, args=args)
        except RedisUnavailable:
            self._forget()
            return
        self._knows_redis = True
        for (_, bucket, spent), tokens in zip(told, left, strict=True):
            bucket.settle(spent, float(tokens), self._clock())

    async def settle_forever(self) -> None:
        """Settle as often as `SYNC_INTERVAL_S` says, while there is something to settle."""
        while True:
            await self._has_unsettled.wait()
            try:
                await self.settle()
            except Exception as error:  # a Redis without scripts, say: what was asked for is still answered
                log.warning("clients are not limited", error=type(error).__name__)
                self._forget()
            await asyncio.sleep(SYNC_INTERVAL_S)

    def _forget(self) -> None:
        """Refuse nobody until Redis answers, and begin anew then."""
        self._knows_redis = False
        self._budgets.clear()


@asynccontextmanager
async def open_client_limits(redis: RedisClient, *, requests: int, site_calls: int) -> AsyncIterator[ClientLimits]:
    """The budgets of this process, `requests` and `site_calls` a minute."""
    limits = ClientLimits(redis, requests=requests, site_calls=site_calls)
    await limits.settle()
    settling = asyncio.create_task(limits.settle_forever(), name="client limits")
    try:
        yield limits
    finally:
        await cancel_and_wait(settling)
