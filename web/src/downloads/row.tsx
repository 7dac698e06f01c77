/** One download: progress, error, file and actions. */
import { useState } from "preact/hooks";
import { local } from "../api/addresses";
import { CHAPTER_LENGTH } from "../api/documents";
import { useQuery } from "../api/hooks";
import type { Problem } from "../api/problems";
import type { Download } from "../api/types";
import { isChinese, t } from "../i18n";
import { duration, relative, size } from "../i18n/formats";
import { Icon } from "../components/icons";
import { problemTexts } from "../components/message";
import { href } from "../router";
import { isActive, pagesByChapter } from "./records";
import { cancel, remove, retry } from "./store";

const SHOWN_CHAPTERS = 3;
const SHOWN_PAGES = 12;

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
        {download.files.length > 0 && <span class="quiet"> · {size(download.files.reduce((sum, file) => sum + file.size, 0))}</span>}
        {download.isKept && <span class="quiet"> · {words.kept}</span>}
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
      {download.state === "FAILED" && download.problem && <Failure albumId={download.albumId} problem={download.problem} />}
      {problem && <p class="download-problem">{problemTexts(problem).join(" – ")}</p>}
      <div class="download-actions">
        {download.file && (
          <a class="button button-small button-primary" href={local(download.file.url)} download={download.file.name}>
            <Icon name="download" size={16} /> {words.save}
            <span class="hidden">: {download.title}</span>
          </a>
        )}
        {!download.file && download.files.length > 0 && <Files files={download.files} />}
        {isActive(download) && <Action label={words.cancel} icon="close" title={download.title} onAct={act(cancel)} />}
        {RETRYABLE.has(download.state) && <Action label={words.retry} icon="retry" title={download.title} onAct={act(retry)} />}
        {!isActive(download) && <Action label={words.remove} icon="trash" title={download.title} onAct={act(remove)} />}
      </div>
    </li>
  );
}

/** The files of a kept series, one a chapter. */
function Files({ files }: { files: Download["files"] }) {
  return (
    <details class="download-files">
      <summary>{t().download.files(files.length)}</summary>
      <ul role="list">
        {files.map((file) => (
          <li key={file.url}>
            <a href={local(file.url)} download={file.name}>{file.name}</a> <span class="quiet">{size(file.size)}</span>
          </li>
        ))}
      </ul>
    </details>
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

function Failure({ albumId, problem }: { albumId: string; problem: NonNullable<Download["problem"]> }) {
  const [title, hint] = problemTexts(problem);
  return (
    <div class="download-problem">
      <p>
        <strong>{title}</strong>
      </p>
      <p>{hint}</p>
      {!isChinese() && <p class="quiet">{problem.message}</p>}
      <MissingPages albumId={albumId} missing={problem.missingPages} />
    </div>
  );
}

function MissingPages({ albumId, missing }: { albumId: string; missing: readonly string[] }) {
  const chapters = pagesByChapter(missing);
  const shown = chapters.slice(0, SHOWN_CHAPTERS);
  return (
    <>
      {shown.map(([chapterId, pages]) => (
        <MissingOfChapter key={chapterId} albumId={albumId} chapterId={chapterId} pages={pages} />
      ))}
      {chapters.length > shown.length && <p class="quiet">{t().download.missingElsewhere(chapters.length - shown.length)}</p>}
    </>
  );
}

interface ChapterLength {
  album: { chapters: { id: string }[] | null } | null;
  chapter: { index: number; pageCount: number | null } | null;
}

/** The missing pages of a chapter: "page 7 of 12", as soon as its length is known. */
function MissingOfChapter({ albumId, chapterId, pages }: { albumId: string; chapterId: string; pages: readonly number[] }) {
  const { data } = useQuery<ChapterLength>(CHAPTER_LENGTH, { id: albumId, chapter: chapterId });
  const isSeries = (data?.album?.chapters?.length ?? 0) > 1;
  const shown = pages.slice(0, SHOWN_PAGES).join(", ") + (pages.length > SHOWN_PAGES ? " …" : "");
  return (
    <p class="quiet">
      {t().download.missingPages(isSeries ? (data?.chapter?.index ?? null) : null, shown, pages.length, data?.chapter?.pageCount ?? null)}
    </p>
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
