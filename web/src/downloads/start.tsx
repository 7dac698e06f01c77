/** The form that starts a download of an album; it stores the chosen formats. */
import { useState } from "preact/hooks";
import type { Problem } from "../api/problems";
import type { Album, ArchiveFormat, ImageFormat } from "../api/types";
import { t } from "../i18n";
import { Icon } from "../components/icons";
import { ProblemMessage } from "../components/message";
import { Select } from "../components/switches";
import { storedSignal } from "../stored";
import { DownloadRow } from "./row";
import { downloads, start } from "./store";

const archive = storedSignal<ArchiveFormat>("archive", "ZIP");
const image = storedSignal<ImageFormat>("image", "ORIGINAL");
const quality = storedSignal("quality", 90);

export function StartDownload({ album }: { album: Album }) {
  const words = t().download;
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isAsking, setAsking] = useState(false);
  const chapters = album.chapters ?? [];
  const own = (downloads.value ?? []).filter((download) => download.albumId === album.id);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setAsking(true);
    setProblem(
      await start({
        albumId: album.id,
        archive: archive.value,
        image: image.value,
        quality: quality.value,
        chapterIds: chosen.size ? chapters.map((chapter) => chapter.id).filter((id) => chosen.has(id)) : null,
      }),
    );
    setAsking(false);
  };

  return (
    <section class="start" aria-label={words.title}>
      <form class="start-form" onSubmit={(event) => void submit(event)}>
        <Select labelled label={words.archive} value={archive.value} options={words.archives} onChange={(value) => (archive.value = value)} />
        <Select labelled label={words.image} value={image.value} options={words.images} onChange={(value) => (image.value = value)} />
        {(image.value === "JPEG" || image.value === "WEBP") && <Quality />}
        <button type="submit" class="button button-primary" disabled={isAsking}>
          <Icon name="download" /> {words.start}
        </button>
        {chapters.length > 1 && <Chapters chapters={chapters} chosen={chosen} onChoose={setChosen} />}
      </form>
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
    <details class="start-chapters">
      <summary>{chosen.size ? words.someChapters(chosen.size) : words.allChapters}</summary>
      <fieldset>
        <legend class="hidden">{words.chapters}</legend>
        {chapters.map((chapter) => (
          <label key={chapter.id} class="check">
            <input type="checkbox" checked={chosen.has(chapter.id)} onChange={toggle(chapter.id)} />
            {chapter.index}. {chapter.title}
          </label>
        ))}
      </fieldset>
    </details>
  );
}
