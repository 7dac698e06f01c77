/** The row of what can be done with an album, with the form that starts its download; it stores the chosen formats. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Problem } from "../api/problems";
import type { Album, ArchiveFormat, ImageFormat } from "../api/types";
import { t } from "../i18n";
import { Icon } from "../components/icons";
import { ProblemMessage } from "../components/message";
import { Select } from "../components/switches";
import { storedSignal } from "../stored";
import { DownloadRow } from "./row";
import { downloads, start, type StartDownloadInput } from "./store";

const archive = storedSignal<ArchiveFormat>("archive", "ZIP");
const image = storedSignal<ImageFormat>("image", "ORIGINAL");
const quality = storedSignal("quality", 90);
const keep = storedSignal("keep", false);

/** The formats chosen last, for one download or many. */
export function chosenFormat(): Omit<StartDownloadInput, "albumId"> {
  return { archive: archive.value, image: image.value, quality: quality.value, keep: keep.value, chapterIds: null };
}

interface Props {
  album: Album;
  /** What stands before and behind it in the row of what can be done with an album. */
  before: ComponentChildren;
  after: ComponentChildren;
}

export function StartDownload({ album, before, after }: Props) {
  const words = t().download;
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isAsking, setAsking] = useState(false);
  const chapters = album.chapters ?? [];
  const own = (downloads.value ?? []).filter((download) => download.albumId === album.id);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setAsking(true);
    const chapterIds = chosen.size ? chapters.map((chapter) => chapter.id).filter((id) => chosen.has(id)) : null;
    setProblem(await start({ albumId: album.id, ...chosenFormat(), chapterIds }));
    setAsking(false);
  };

  return (
    <section class="start" aria-label={words.title}>
      <form class="album-actions" onSubmit={(event) => void submit(event)}>
        {before}
        <span class="joined">
          <button type="submit" class="button button-large" disabled={isAsking}>
            <Icon name="download" /> {words.start}
          </button>
          <Select label={words.archive} value={archive.value} options={words.archives} onChange={(value) => (archive.value = value)} />
        </span>
        {after}
      </form>
      <details class="start-options">
        <summary>{chosen.size ? words.someChapters(chosen.size) : words.options}</summary>
        <div class="start-form">
          <Select labelled label={words.image} value={image.value} options={words.images} onChange={(value) => (image.value = value)} />
          <label class="check">
            <input type="checkbox" checked={keep.value} onChange={(event) => (keep.value = event.currentTarget.checked)} /> {words.keep}
          </label>
          {(image.value === "JPEG" || image.value === "WEBP") && <Quality />}
          {chapters.length > 1 && <Chapters chapters={chapters} chosen={chosen} onChoose={setChosen} />}
        </div>
      </details>
      {problem && <ProblemMessage problem={problem} />}
      {own.length > 0 && (
        <ul class="downloads" role="list">
          {own.map((download) => (
            <DownloadRow key={download.id} download={download} withTitle={false} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Quality() {
  return (
    <label class="field field-short">
      <span class="field-label">{t().download.quality}</span>
      <input
        type="number"
        min={1}
        max={100}
        required
        value={quality.value}
        onInput={(event) => {
          const value = event.currentTarget.valueAsNumber;
          if (value >= 1 && value <= 100) quality.value = Math.round(value);
        }}
      />
    </label>
  );
}

interface ChaptersProps {
  chapters: NonNullable<Album["chapters"]>;
  chosen: ReadonlySet<string>;
  onChoose: (chosen: ReadonlySet<string>) => void;
}

function Chapters({ chapters, chosen, onChoose }: ChaptersProps) {
  const words = t().download;
  const toggle = (id: string) => () => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    onChoose(next);
  };
  return (
    <fieldset class="start-chapters">
      <legend>{chosen.size ? words.someChapters(chosen.size) : words.allChapters}</legend>
      {chapters.map((chapter) => (
        <label key={chapter.id} class="check">
          <input type="checkbox" checked={chosen.has(chapter.id)} onChange={toggle(chapter.id)} />
          {chapter.index}. {chapter.title}
        </label>
      ))}
    </fieldset>
  );
}
