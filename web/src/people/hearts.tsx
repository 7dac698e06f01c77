/** Favourites of the site: the heart of an album. */
import { useMemo, useState } from "preact/hooks";
import { SET_FAVORITE } from "../api/documents";
import { useQuery } from "../api/hooks";
import type { GridEntry } from "../components/grid";
import { announceProblem } from "../components/toasts";
import { Icon } from "../components/icons";
import { t } from "../i18n";
import { change, hasSiteAccount } from "./viewer";

interface Props {
  albumId: string;
  title: string;
  isFavorite: boolean;
  isLarge?: boolean;
  onChange?: (isFavorite: boolean) => void;
}

export function Heart({ albumId, title, isFavorite, isLarge = false, onChange }: Props) {
  const words = t().people;
  const [state, setState] = useState({ isFavorite, isBusy: false });
  const toggle = async (): Promise<void> => {
    if (state.isBusy) return;
    const wanted = !state.isFavorite;
    setState({ isFavorite: wanted, isBusy: true });
    const problem = await change(SET_FAVORITE, { albumId, isFavorite: wanted });
    setState({ isFavorite: problem ? !wanted : wanted, isBusy: false });
    if (problem) return announceProblem(problem);
    onChange?.(wanted);
  };
  return (
    <button
      type="button"
      class={`button heart ${isLarge ? "button-large" : "button-icon"} ${state.isFavorite ? "heart-on" : ""}`}
      aria-pressed={state.isFavorite}
      aria-label={words.heart(title)}
      aria-disabled={state.isBusy}
      onClick={() => void toggle()}
    >
      <Icon name="heart" />
    </button>
  );
}

/** The list stands at the top, or below the tag that has it. */
interface HeartsAnswer {
  list?: HeartList | null;
  tag?: { list: HeartList | null } | null;
}

interface HeartList {
  lines: (HeartLine | { album: HeartLine })[] | null;
}

interface HeartLine {
  id: string;
  isSiteFavorite: boolean | null;
}

/** Which albums of a list are favourites, by number; asked for apart from the list, since the site has to be asked. */
export function useHearts(document: string, variables: Record<string, unknown> | null): ReadonlyMap<string, boolean> {
  const { data } = useQuery<HeartsAnswer>(document, hasSiteAccount.value ? variables : null, "cache-and-network");
  return useMemo(() => {
    const lines = ((data?.list ?? data?.tag?.list)?.lines ?? []).map((line) => ("album" in line ? line.album : line));
    return new Map(lines.flatMap(({ id, isSiteFavorite }) => (isSiteFavorite === null ? [] : [[id, isSiteFavorite] as const])));
  }, [data]);
}

export function heartsOf(entries: readonly GridEntry[], hearts: ReadonlyMap<string, boolean>): GridEntry[] {
  return entries.map((entry) => ({ ...entry, isFavorite: hearts.get(entry.album.id) }));
}
