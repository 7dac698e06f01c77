/** One download: progress, error, file and actions. */
import { useState } from "preact/hooks";
import { local } from "../api/addresses";
import type { Problem } from "../api/problems";
import type { Download } from "../api/types";
import { t } from "../i18n";
import { duration, relative, size } from "../i18n/formats";
import { Icon } from "../components/icons";
import { problemTexts } from "../components/message";
import { href } from "../router";
import { isActive } from "./records";
import { cancel, remove, retry } from "./store";

const RETRYABLE = new Set(["FAILED", "CANCELLED", "EXPIRED"]);

export function DownloadRow({ download, withTitle }: { download: Download; withTitle: boolean }) {
  const words = t().download;
  const [problem, setProblem] = useState<Problem | null>(null);
  const act = (action: (id: string) => Promise<Problem | null>) => () => void action(download.id).then(setProblem);
  return (
    <li class={`download download-${download.state}`}>
      {withTitle && (
        <a class="download-title" href={href(["album", download.albumId])}>
          {download.title || t().album.number(download.albumId)}
        </a>
      )}
      <p class="download-state">
        <span class="state-mark" aria-hidden="true" />
        {words.states[download.state]}
        <span class="quiet"> · {download.archive}</span>
        {isActive(download) && <Steps download={download} />}
        {download.file && <span class="quiet"> · {size(download.file.size)}</span>}
        {download.state === "READY" && download.expiresAt && (
          <span class="quiet"> · {words.until(relative(download.expiresAt))}</span>
        )}
      </p>
      {isActive(download) && (
        <progress
          max={100}
          value={download.progress.percent}
          aria-label={words.progress(download.title)}
        />
      )}
      {download.state === "FAILED" && download.problem && <Failure problem={download.problem} />}
      {problem && <p class="download-problem">{problemTexts(problem).join(" – ")}</p>}
      <div class="download-actions">
        {download.file && (
          <a class="button button-small button-primary" href={local(download.file.url)} download={download.file.name}>
            <Icon name="download" size={16} /> {words.save}
            <span class="hidden">: {download.title}</span>
          </a>
        )}
        {isActive(download) && <Action label={words.cancel} icon="close" title={download.title} onAct={act(cancel)} />}
        {RETRYABLE.has(download.state) && <Action label={words.retry} icon="retry" title={download.title} onAct={act(retry)} />}
        {!isActive(download) && <Action label={words.remove} icon="trash" title={download.title} onAct={act(remove)} />}
      </div>
    </li>
  );
}

function Steps({ download }: { download: Download }) {
  const { pagesDone, pagesTotal, etaSeconds } = download.progress;
  return (
    <span class="quiet">
      {download.state !== "QUEUED" && <> · {t().download.pages(pagesDone, pagesTotal)}</>}
      {etaSeconds !== null && download.state === "RUNNING" && <> · {t().download.eta(duration(etaSeconds))}</>}
    </span>
  );
}

function Failure({ problem }: { problem: NonNullable<Download["problem"]> }) {
  const [title, hint] = problemTexts(problem);
  const missing = problem.missingPages;
  const shown = missing.slice(0, 6).join(", ") + (missing.length > 6 ? " …" : "");
  return (
    <div class="download-problem">
      <p>
        <strong>{title}</strong>
      </p>
      <p>{hint}</p>
      <p class="quiet">{problem.message}</p>
      {missing.length > 0 && <p class="quiet">{t().download.missingPages(shown)}</p>}
    </div>
  );
}

interface ActionProps {
  label: string;
  icon: "close" | "retry" | "trash";
  title: string;
  onAct: () => void;
}

function Action({ label, icon, title, onAct }: ActionProps) {
  return (
    <button type="button" class="button button-small" aria-label={t().download.of(label, title)} onClick={onAct}>
      <Icon name={icon} size={16} /> {label}
    </button>
  );
}
