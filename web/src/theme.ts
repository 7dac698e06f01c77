/** Light, dark, or the system's choice. */
import { effect } from "@preact/signals";
import { storedSignal } from "./stored";

export type Theme = "auto" | "light" | "dark";

export const theme = storedSignal<Theme>("theme", "auto");

export function applyTheme(): void {
  effect(() => {
    if (theme.value === "auto") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme.value;
  });
}
