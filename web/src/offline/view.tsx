/** What can be read without the server, how much it may take, and how to remove it. */
import { Cover } from "../components/cover";
import { Icon } from "../components/icons";
import { Message } from "../components/message";
import { Select } from "../components/switches";
import { t } from "../i18n";
import { number, size } from "../i18n/formats";
import { href } from "../router";
import { useTitle } from "../views/title";
import { canKeep, kept, keepsLastRead, keptBytes, limit, LIMITS, MEGABYTE, onDevice, removeAllKept, removeKept, type KeptChapter } from "./kept";

export function OfflineView() {
  const words = t().offline;
  useTitle(words.title);
  const list = kept.value;
  const of = (megabytes: number): string => size(megabytes * MEGABYTE);
  if (!canKeep) return <Message isView title={words.title} hint={words.needsTls} />;
  return (
    <>
      <div class="view-head">
        <h1>{words.title}</h1>
        <p class="quiet" aria-live="polite">{words.used(size(keptBytes.value), of(limit.value))}</p>
      </div>
      <div class="toolbar">
        <Select
          label={words.limit}
          value={String(limit.value)}
          options={Object.fromEntries(LIMITS.map((value) => [String(value), words.atMost(of(value))]))}
          order={LIMITS.map(String)}
          onChange={(value) => (limit.value = Number(value))}
        />
        <label class="check">
          <input type="checkbox" checked={keepsLastRead.value} onChange={(event) => (keepsLastRead.value = event.currentTarget.checked)} /> {words.lastRead}
        </label>
        {list.length > 0 && (
          <button type="button" class="button" onClick={() => confirm(words.clearSure) && void removeAllKept()}>
            <Icon name="trash" size={16} /> {words.clear}
          </button>
        )}
      </div>
      {list.length === 0 && <Message title={words.empty} hint={words.emptyHint} />}
      <ul class="library" role="list">
        {list.map((chapter) => (
          <Line key={chapter.chapterId} chapter={chapter} />
        ))}
      </ul>
    </>
  );
}

function Line({ chapter }: { chapter: KeptChapter }) {
  const words = t().offline;
  const title = chapter.albumTitle || t().album.number(chapter.albumId);
  return (
    <li class="library-entry">
      <span class="library-cover"><Cover cover={{ url: onDevice(chapter.coverUrl), width: null, height: null, placeholder: null }} alt="" eager /></span>
      <div class="library-about">
        <p><a href={href(["album", chapter.albumId, "read", chapter.chapterId])}>{title}</a></p>
        <p class="quiet">
          {[
            chapter.isSeries && `${chapter.index}. ${chapter.chapterTitle}`,
            t().album.pages(number(chapter.pageCount)),
            size(chapter.bytes),
            !chapter.isChosen && words.isLastRead,
          ].filter(Boolean).join(" · ")}
        </p>
      </div>
      <button type="button" class="button button-icon" aria-label={words.remove(title, chapter.index)} onClick={() => void removeKept(chapter.chapterId)}>
        <Icon name="trash" size={16} />
      </button>
    </li>
  );
}
