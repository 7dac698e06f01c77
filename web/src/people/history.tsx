/** What a person has read, newest first. */
import { useState } from "preact/hooks";
import { DELETE_HISTORY, HISTORY } from "../api/documents";
import { useQuery } from "../api/hooks";
import type { Reading } from "../api/types";
import { Cover } from "../components/cover";
import { Icon } from "../components/icons";
import { Message, ProblemMessage } from "../components/message";
import { announceProblem } from "../components/toasts";
import { t } from "../i18n";
import { relative } from "../i18n/formats";
import { href } from "../router";
import { useTitle } from "../views/title";
import { change } from "./viewer";

const PAGE_SIZE = 50;

interface HistoryAnswer {
  viewer: { history: { totalCount: number; pageInfo: { hasNextPage: boolean; endCursor: string | null }; nodes: Reading[] } } | null;
}

export function HistoryView() {
  const words = t().people;
  const [after, setAfter] = useState<string | null>(null);
  const { data, problem, isLoading, reload } = useQuery<HistoryAnswer>(HISTORY, { first: PAGE_SIZE, after, me: true }, "network-only");
  useTitle(words.history);
  const history = data?.viewer?.history;
  const forget = async (albumIds: string[] | null): Promise<void> => {
    const problem = await change(DELETE_HISTORY, { albumIds }, reload);
    if (problem) announceProblem(problem);
  };
  return (
    <>
      <div class="view-head">
        <h1>{words.history}</h1>
        {history && history.nodes.length > 0 && (
          <button type="button" class="button button-small" onClick={() => confirm(words.forgetAllSure) && void forget(null)}>
            <Icon name="trash" size={16} /> {words.forgetAll}
          </button>
        )}
      </div>
      {isLoading && <div class="skeleton lines" aria-hidden="true" />}
      {!history && problem && <ProblemMessage problem={problem} onRetry={reload} />}
      {history?.nodes.length === 0 && <Message title={words.noHistory} hint={words.noHistoryHint} />}
      <ol class="history" role="list">
        {history?.nodes.map((reading) => (
          <li key={reading.album.id} class="history-line">
            <a class="history-cover" href={href(["album", reading.album.id])} tabIndex={-1} aria-hidden="true">
              <Cover cover={reading.album.cover} alt="" />
            </a>
            <div class="history-about">
              <a href={href(["album", reading.album.id])}>{reading.album.title || t().list.untitled}</a>
              <span class="quiet">
                {relative(reading.readAt)} · {reading.isFinished ? words.read : words.pageOf(reading.page, reading.pageCount)}
              </span>
            </div>
            <a class="button button-small" href={href(["album", reading.album.id, "read", reading.chapter.id], { page: reading.page })}>{words.readOn}</a>
            <button type="button" class="button button-icon" aria-label={words.forget(reading.album.title)} onClick={() => void forget([reading.album.id])}>
              <Icon name="trash" size={16} />
            </button>
          </li>
        ))}
      </ol>
      {history?.pageInfo.hasNextPage && (
        <p class="more"><button type="button" class="button" onClick={() => setAfter(history.pageInfo.endCursor)}>{words.older}</button></p>
      )}
    </>
  );
}
