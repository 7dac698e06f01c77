"""What of a list may be listed: the policy's judgement, and the exclusions a caller asked for, once more.

Once more, because a site that is left with nothing by its exclusions answers the list without them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence

from services.catalog.album_tags import AlbumTags, carries
from services.catalog.policy import ContentPolicy
from services.catalog.tag_cache import TagCache
from services.upstream.records import AlbumSummary


class PolicyFilter:
    """Judges the lines of lists. `look_up` has the labels of albums learned, as far as the site lets it."""

    def __init__(
        self,
        policy: ContentPolicy,
        seen: TagCache,
        look_up: Callable[[Sequence[str]], Awaitable[None]],
    ) -> None:
        self._policy = policy
        self._seen = seen
        self._look_up = look_up

    async def judge(
        self, lines: Sequence[AlbumSummary], *, exclude: Collection[str] = (), is_thorough: bool = False
    ) -> frozenset[str]:
        """Ids of the lines that may be listed.

        A line goes by its title and by what is known of its labels. Labels nobody knows are looked up when
        `is_thorough`, and when there is something to `exclude`. What could not be looked up is withheld when
        thorough, and else listed.
        """
        untold = [line.id for line in lines if line.tags is None]
        await self._seen.load(untold)
        unknown = [id for id in untold if self._seen.get(id) is None]
        if unknown and (is_thorough or exclude):
            await self._look_up(unknown)
        self._learn_from(lines)
        return self.judge_by_what_is_known(lines, exclude=exclude, is_thorough=is_thorough)

    def _learn_from(self, lines: Sequence[AlbumSummary]) -> None:
        """Some lists tell tags, others don't: what one shows to be withheld is withheld in all."""
        for line in lines:
            labels = AlbumTags.of_line(line)
            if labels and self._seen.get(line.id) is None and self._policy.verdict_of(labels):
                self._seen.learn(line.id, labels)

    def judge_by_what_is_known(
        self, lines: Sequence[AlbumSummary], *, exclude: Collection[str] = (), is_thorough: bool = False
    ) -> frozenset[str]:
        """As `judge`, by what this process knows already."""
        names_blocked = self._policy.blocked_titles([line.title for line in lines])
        return frozenset(
            line.id
            for line, is_blocked in zip(lines, names_blocked, strict=True)
            if not is_blocked and self._may_be_listed(line, exclude, is_thorough)
        )

    def _may_be_listed(self, line: AlbumSummary, exclude: Collection[str], is_thorough: bool) -> bool:
        known = [labels for labels in (AlbumTags.of_line(line), self._seen.get(line.id)) if labels is not None]
        if not known:
            return not is_thorough
        return not any(self._policy.verdict_of(labels) or carries(labels, exclude) for labels in known)
