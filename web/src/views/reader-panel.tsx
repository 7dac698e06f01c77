/** How pages are shown: size, two at once, gap, background, brightness. */
import type { Signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { Icon } from "../components/icons";
import { Panel } from "../components/panel";
import { Select } from "../components/switches";
import { t } from "../i18n";
import { canKeep, isKept, keepChosen, keeping, removeKept, type KeepResult, type KeptAnswer } from "../offline/kept";
import { href } from "../router";
import { FITS, type Mode } from "./reading";
import {
  background, BACKGROUNDS, brightness, DARKEST, fit, gap, hasThumbnails, isTwoPages, STRIP_PX, stripWidth, WIDEST_GAP_PX,
} from "./reader-settings";

interface Props {
  mode: Mode;
  /** The chapter that is shown. */
  answer: KeptAnswer;
  onClose: () => void;
}

export function ReaderPanel({ mode, answer, onClose }: Props) {
  const words = t().reader;
  return (
    <Panel id="reader" title={words.settings} onClose={onClose}>
      <div class="settings">
        <Select labelled label={words.fit} value={fit.value} options={words.fits} order={FITS} onChange={(value) => (fit.value = value)} />
        {mode === "scroll" ? (
          <Range label={words.stripWidth} of={stripWidth} min={STRIP_PX.narrowest} max={STRIP_PX.widest} step={20} unit=" px" />
        ) : (
          <Check label={words.twoPages} of={isTwoPages} />
        )}
        <Range label={words.gap} of={gap} min={0} max={WIDEST_GAP_PX} step={2} unit=" px" />
        <Select labelled label={words.background} value={background.value} options={words.backgrounds} order={BACKGROUNDS} onChange={(value) => (background.value = value)} />
        <Range label={words.brightness} of={brightness} min={DARKEST} max={100} step={5} unit=" %" />
        <Check label={words.thumbnails} of={hasThumbnails} />
        <FullScreen />
        {canKeep && <Keep answer={answer} />}
        <p class="quiet">{words.zoomHint}</p>
      </div>
    </Panel>
  );
}

function Range({ label, of, min, max, step, unit }: { label: string; of: Signal<number>; min: number; max: number; step: number; unit: string }) {
  return (
    <label class="field">
      <span class="field-label">{label}: <output>{of.value}{unit}</output></span>
      <input type="range" aria-label={label} min={min} max={max} step={step} value={of.value} onInput={(event) => (of.value = event.currentTarget.valueAsNumber)} />
    </label>
  );
}

function Check({ label, of }: { label: string; of: Signal<boolean> }) {
  return (
    <label class="check">
      <input type="checkbox" checked={of.value} onChange={(event) => (of.value = event.currentTarget.checked)} /> {label}
    </label>
  );
}

/** Keeps the chapter on this device, to be read without the server. */
function Keep({ answer }: { answer: KeptAnswer }) {
  const words = t().offline;
  const [result, setResult] = useState<KeepResult | null>(null);
  const id = answer.chapter.id;
  const under = keeping.value?.chapterId === id ? keeping.value : null;
  if (under) return <p role="status">{words.keeping(under.done, under.count)}</p>;
  if (isKept(id)) {
    return (
      <p class="keep">
        <span role="status">{words.isKept}</span>{" "}
        <button type="button" class="button button-small" onClick={() => void removeKept(id)}>{words.removeThis}</button>
      </p>
    );
  }
  return (
    <>
      <button type="button" class="button" onClick={() => void keepChosen(answer).then(setResult)}>
        <Icon name="download" /> {words.keep}
      </button>
      {result === "full" && <p class="refused" role="alert">{words.full} <a href={href(["offline"])}>{words.open}</a></p>}
      {result === "failed" && <p class="refused" role="alert">{words.failed}</p>}
    </>
  );
}

/** Where the browser has it. */
export const canFillScreen = (): boolean => document.fullscreenEnabled;

export function toggleFullScreen(): void {
  void (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen());
}

function FullScreen() {
  if (!canFillScreen()) return null;
  return <button type="button" class="button" onClick={toggleFullScreen}>{t().reader.fullScreen}</button>;
}
