/** All downloads of the server, live. */
import { signal } from "@preact/signals";
import { t } from "../i18n";
import { Message, ProblemMessage } from "../components/message";
import { Panel } from "../components/panel";
import { DownloadRow } from "./row";
import { downloads, listProblem, fetchList, retryFailed } from "./store";

export const isDrawerOpen = signal(false);

export function Drawer() {
  if (!isDrawerOpen.value) return null;
  return (
    <Panel id="downloads" title={t().download.title} onClose={() => (isDrawerOpen.value = false)}>
      <List />
    </Panel>
  );
}

function List() {
  const words = t().download;
  const list = downloads.value;
  if (listProblem.value) return <ProblemMessage problem={listProblem.value} onRetry={() => void fetchList()} />;
  if (!list) return <div class="skeleton lines" aria-hidden="true" />;
  if (list.length === 0) return <Message title={words.empty} hint={words.emptyHint} />;
  return (
    <>
      {list.some((download) => download.state === "FAILED") && (
        <button type="button" class="button button-small" onClick={() => void retryFailed()}>
          {words.retryAll}
        </button>
      )}
      <ul class="downloads" role="list">
        {list.map((download) => (
          <DownloadRow key={download.id} download={download} withTitle />
        ))}
      </ul>
    </>
  );
}
