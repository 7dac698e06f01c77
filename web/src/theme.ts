/** Light, dark, or as the system says. */
import { effect } from "@preact/signals";
import { remembered } from "./remembered";

export type Theme = "auto" | "light" | "dark";

export const theme = remembered<Theme>("theme", "auto");

export function paintDocument(): void {
  effect(() => {
    if (theme.value === "auto") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme.value;
  });
}
