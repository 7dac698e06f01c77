/** Where to read on, above the first list. */
import { useEffect } from "preact/hooks";
import { CONTINUE } from "../api/documents";
import { useQuery } from "../api/hooks";
import type { Reading } from "../api/types";
import { Cover } from "../components/cover";
import { t } from "../i18n";
import { href } from "../router";
import { storedSignal } from "../stored";

/** Whether there was something the last time: its place is kept free, so that nothing moves when it comes. */
const hadSome = storedSignal("continues", false);

export function ContinueReading() {
  const words = t().people;
  const { data } = useQuery<{ viewer: { continueReading: Reading[] } | null }>(CONTINUE, { me: true }, "cache-and-network");
  const readings = data?.viewer?.continueReading;
  useEffect(() => {
    if (readings) hadSome.value = readings.length > 0;
  }, [readings]);
  if (readings ? readings.length === 0 : !hadSome.value) return null;
  return (
    <section class="continue" aria-labelledby="continue-title">
      <h2 id="continue-title">{words.continueReading}</h2>
      <ul class="continue-row" role="list">
        {readings?.map((reading) => (
          <li key={reading.album.id}>
            <a class="continue-card" href={href(["album", reading.album.id, "read", reading.chapter.id], { page: reading.page })}>
              <Cover cover={reading.album.cover} alt="" eager />
              <span class="continue-about">
                <span class="continue-name">{reading.album.title || t().list.untitled}</span>
                <span class="quiet">{reading.isFinished ? words.newAfter(reading.chapter.index) : words.pageOf(reading.page, reading.pageCount)}</span>
              </span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
