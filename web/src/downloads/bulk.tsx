/** Downloads of many albums at once: a selection, an author's, a folder of favourites. */
import { useState } from "preact/hooks";
import { Icon } from "../components/icons";
import { announce, announceProblem } from "../components/toasts";
import { t } from "../i18n";
import { isDrawerOpen } from "./drawer";
import { chosenFormat } from "./start";
import { startMany } from "./store";

/** Albums of one press of the button; a list that is longer says so. */
const MOST = 500;

export interface IdsPage {
  readonly ids: readonly string[];
  readonly pageCount: number;
}

interface Props {
  /** Albums of all pages. */
  count: number;
  /** The numbers of one page, from 1; null where they can't be had. */
  load: (page: number) => Promise<IdsPage | null>;
  onDone?: () => void;
}

export function DownloadAll({ count, load, onDone }: Props) {
  const words = t().bulk;
  const [isBusy, setBusy] = useState(false);
  const run = async (): Promise<void> => {
    if (!confirm(words.sure(Math.min(count, MOST), count > MOST))) return;
    setBusy(true);
    const ids = await allOf(load);
    const { started, problems } = await startMany(ids.map((albumId) => ({ albumId, ...chosenFormat() })));
    setBusy(false);
    announce(words.started(started, ids.length - started), null);
    if (problems[0]) announceProblem(problems[0]);
    if (started > 0) isDrawerOpen.value = true;
    onDone?.();
  };
  return (
    <button type="button" class="button" disabled={isBusy || count === 0} onClick={() => void run()}>
      <Icon name="download" size={16} /> {words.all(count)}
    </button>
  );
}

/** Without repetitions, at most `MOST`; the pages before one that can't be had. */
async function allOf(load: Props["load"]): Promise<string[]> {
  const ids = new Set<string>();
  for (let page = 1, pageCount = 1; page <= pageCount && ids.size < MOST; page += 1) {
    const found = await load(page);
    if (!found) break;
    for (const id of found.ids) ids.add(id);
    pageCount = found.pageCount;
  }
  return [...ids].slice(0, MOST);
}
