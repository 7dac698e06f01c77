/** The window's title follows the view. */
import { useEffect } from "preact/hooks";

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · jmgraph` : "jmgraph";
  }, [title]);
}
