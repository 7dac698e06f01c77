"""One, three and ten regions, simulated event by event: `python -m benchmarks.scale`.

What a request costs us is what `docs/performance.md` measured; how far people, regions and the site are apart, how
much people read and what a core costs are assumptions, named here. Each region has its own Redis, so its own cache
and its own limits towards the site; a CDN is in front of all of them. Arguments are other hit rates of the CDN (0.9
0.99). `docs/scale.md` says what follows from the figures.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

# measured, docs/performance.md
CACHED_S = 1 / 4496
"""Processor time of a query whose response is cached."""
WARM_S = 1 / 31
"""Of a query whose data are cached: a ranking of 80 albums with all tags, the dearest that people send."""
PAGES_PER_S = 42.4
"""Pages that a worker on two cores downloads a second."""
PAGE_BYTES = 130_000

# settings, by their defaults
SITE_CONCURRENCY = 16
SITE_RATE_PER_S = 30.0
SITE_BURST = 100

# assumptions
SITE_S = 0.15
"""Time of one answer of the site, as the benchmarks' demo site takes it."""
EDGE_S = 0.02
"""From a reader to the CDN and back."""
REGION_S = {1: (0.04, 0.25), 3: (0.04, 0.12), 10: (0.03, 0.05)}
"""From a reader to the next region and back: shortest and longest, by the number of regions."""
READERS = 100_000
"""People a day, whose busiest hour has three times the mean."""
PEAK = 3
QUERIES, PICTURES, DOWNLOADS = 40, 150, 0.05
"""Of a reader and day."""
PAGES_OF_DOWNLOAD = 60
CALLS_OF_QUERY = ((0.95, 1), (0.05, 81))
"""Shares of queries, and their calls to the site when nothing is cached: an album or a list, a list with all tags."""
RESPONSE_HIT, DATA_HIT, PICTURE_HIT = 0.6, 0.85, 0.6
"""Of what passes the CDN: whole responses in a region's cache, data of the others, pictures on its disks."""
SIMULATED_S = 120.0

# prices a month, of no provider in particular
CORE_PRICE, REDIS_PRICE, EDGE_GB_PRICE, REGION_GB_PRICE = 15.0, 20.0, 0.01, 0.05
BUSY_SHARE = 0.6
"""Of a core, at the busiest hour."""

HITS = (0.5, 0.8, 0.95)
"""Shares that the CDN answers, of queries over GET and of pictures."""


COLUMNS = (
    *("regions", "CDN hits", "queries, p95 ms", "p99 ms", "pictures, p95 ms"),
    *("calls to the site/s", "connections in use", "cores", "a month"),
)


@dataclass(frozen=True)
class Outcome:
    """What a number of regions gives at one hit rate of the CDN."""

    regions: int
    cdn_hit: float
    query_p95_ms: float
    query_p99_ms: float
    picture_p95_ms: float
    site_calls_per_s: float
    site_share: float
    """Of the connections to the site that one region may use, in use on average."""
    cores: int
    price: float


@dataclass
class Region:
    """A region: cores of the API, connections to the site, and the pace of calls to it."""

    environment: simpy.Environment
    api: simpy.Resource
    site: simpy.PriorityResource
    busy_s: float = 0.0
    site_busy_s: float = 0.0
    calls: int = 0
    next_call_s: float = field(default=-SITE_BURST / SITE_RATE_PER_S)

    def compute(self, seconds: float) -> Generator[Any, Any, None]:
        """Use a core."""
        with self.api.request() as core:
            yield core
            yield self.environment.timeout(seconds)
        self.busy_s += seconds

    def call_site(self, priority: int, *, is_picture: bool = False) -> Generator[Any, Any, None]:
        """One call, when the limits allow it; pictures have no pace. A low number goes first."""
        if not is_picture:
            earliest = self.environment.now - SITE_BURST / SITE_RATE_PER_S
            self.next_call_s = max(self.next_call_s + 1 / SITE_RATE_PER_S, earliest)
            yield self.environment.timeout(max(0.0, self.next_call_s - self.environment.now))
        with self.site.request(priority) as connection:
            yield connection
            yield self.environment.timeout(SITE_S)
        self.site_busy_s += SITE_S
        self.calls += 1


class Simulation:
    """The busiest minutes of a day."""

    def __init__(self, regions: int, cdn_hit: float, readers: int = READERS, cores: int = 2) -> None:
        self._chance = random.Random(1)
        self._environment = simpy.Environment()
        self._cdn_hit = cdn_hit
        self._count = regions
        self._readers = readers
        self._cores = cores
        self._query_s: list[float] = []
        self._picture_s: list[float] = []
        self._regions = [
            Region(
                self._environment,
                simpy.Resource(self._environment, cores),
                simpy.PriorityResource(self._environment, SITE_CONCURRENCY),
            )
            for _ in range(regions)
        ]

    def run(self) -> Outcome:
        """Simulate, and sum up."""
        peak_per_s = self._readers * PEAK / 86400
        for region in self._regions:
            share = peak_per_s / self._count
            for each, kind in ((QUERIES, self._query), (PICTURES, self._picture), (DOWNLOADS, self._download)):
                self._environment.process(self._arrivals(region, share * each, kind))
        self._environment.run(SIMULATED_S)
        return self._outcome()

    def _arrivals(self, region: Region, per_s: float, kind: Any) -> Generator[Any, Any, None]:
        while True:
            yield self._environment.timeout(self._chance.expovariate(per_s))
            self._environment.process(kind(region))

    def _query(self, region: Region) -> Generator[Any, Any, None]:
        if self._chance.random() < self._cdn_hit:
            self._query_s.append(EDGE_S)
            return
        began = self._environment.now
        yield self._environment.timeout(self._way())
        if self._chance.random() < RESPONSE_HIT:
            yield from region.compute(CACHED_S)
        else:
            if self._chance.random() >= DATA_HIT:
                calls = self._chance.choices(*zip(*((n, share) for share, n in CALLS_OF_QUERY), strict=True))[0]
                yield self._environment.all_of([self._environment.process(region.call_site(0)) for _ in range(calls)])
            yield from region.compute(WARM_S)
        self._query_s.append(self._environment.now - began)

    def _picture(self, region: Region) -> Generator[Any, Any, None]:
        if self._chance.random() < self._cdn_hit:
            self._picture_s.append(EDGE_S)
            return
        began = self._environment.now
        yield self._environment.timeout(self._way())
        if self._chance.random() >= PICTURE_HIT:
            yield from region.call_site(1, is_picture=True)
        yield from region.compute(CACHED_S)
        self._picture_s.append(self._environment.now - began)

    def _download(self, region: Region) -> Generator[Any, Any, None]:
        for _ in range(PAGES_OF_DOWNLOAD):
            yield from region.call_site(2, is_picture=True)

    def _way(self) -> float:
        return self._chance.uniform(*REGION_S[self._count])

    def _outcome(self) -> Outcome:
        busy = sum(region.busy_s for region in self._regions) / SIMULATED_S
        pages_per_s = self._readers * PEAK / 86400 * DOWNLOADS * PAGES_OF_DOWNLOAD
        api = self._count * max(2, math.ceil(busy / BUSY_SHARE / self._count))
        workers = self._count * math.ceil(pages_per_s / (PAGES_PER_S / 2) / BUSY_SHARE / self._count)
        gigabytes = self._readers * 30 * PICTURES * PAGE_BYTES / 1e9
        from_regions = gigabytes * (1 - self._cdn_hit) * REGION_GB_PRICE
        return Outcome(
            regions=self._count,
            cdn_hit=self._cdn_hit,
            query_p95_ms=_percentile_ms(self._query_s, 0.95),
            query_p99_ms=_percentile_ms(self._query_s, 0.99),
            picture_p95_ms=_percentile_ms(self._picture_s, 0.95),
            site_calls_per_s=sum(region.calls for region in self._regions) / SIMULATED_S,
            site_share=max(region.site_busy_s for region in self._regions) / SIMULATED_S / SITE_CONCURRENCY,
            cores=api + workers,
            price=(api + workers) * CORE_PRICE + self._count * REDIS_PRICE + gigabytes * EDGE_GB_PRICE + from_regions,
        )


def _percentile_ms(seconds: list[float], share: float) -> float:
    return 1000 * sorted(seconds)[int(len(seconds) * share)]


def row(outcome: Outcome) -> str:
    """A row of the table in `docs/scale.md`."""
    return (
        f"| {outcome.regions} | {outcome.cdn_hit:.0%} | {outcome.query_p95_ms:,.0f} | "
        f"{outcome.query_p99_ms:,.0f} | {outcome.picture_p95_ms:,.0f} | "
        f"{outcome.site_calls_per_s:.0f} | {outcome.site_share:.0%} | {outcome.cores} | {outcome.price:,.0f} |"
    )


def main() -> None:
    """Print the table."""
    print(f"| {' | '.join(COLUMNS)} |\n|{' ---: |' * len(COLUMNS)}")
    for regions in REGION_S:
        for cdn_hit in map(float, sys.argv[1:] or HITS):
            print(row(Simulation(regions, cdn_hit).run()), flush=True)


if __name__ == "__main__":
    main()
