from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.cache import CacheEntry, MemoryTier


def entry(size_bytes: int) -> CacheEntry[str]:
    return CacheEntry("x", 0.0, 0.0, size_bytes)


def test_the_least_recently_used_is_evicted_first() -> None:
    tier = MemoryTier(max_entries=2, max_bytes=100)
    tier.put("album", "1", entry(1))
    tier.put("album", "2", entry(1))
    tier.get("album", "1")

    tier.put("album", "3", entry(1))

    assert [tier.get("album", id) is not None for id in "123"] == [True, False, True]


def test_an_entry_larger_than_the_whole_tier_is_not_kept() -> None:
    tier = MemoryTier(max_entries=10, max_bytes=100)
    tier.put("album", "1", entry(60))

    tier.put("album", "2", entry(101))

    assert tier.get("album", "1") is not None
    assert tier.get("album", "2") is None


operations = st.lists(st.tuples(st.sampled_from(["put", "get"]), st.integers(0, 9), st.integers(1, 40)))


@given(operations)
def test_it_never_holds_more_than_it_may_and_its_sum_is_right(steps: list[tuple[str, int, int]]) -> None:
    tier = MemoryTier(max_entries=4, max_bytes=100)
    for step, key, size_bytes in steps:
        if step == "put":
            tier.put("album", str(key), entry(size_bytes))
        else:
            tier.get("album", str(key))

    held = [found for key in range(10) if (found := tier.get("album", str(key))) is not None]
    assert len(tier) == len(held) <= 4
    assert tier.size_bytes == sum(found.size_bytes for found in held) <= 100
