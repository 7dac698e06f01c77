/** Numbers, sizes and times as the reader's language writes them. */
import { locale } from "./index";

export function number(value: number): string {
  return new Intl.NumberFormat(locale()).format(value);
}

export function compact(value: number): string {
  return new Intl.NumberFormat(locale(), { notation: "compact", maximumFractionDigits: 1 }).format(value);
}

const SIZES = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** 1536 is "1.5 kB". */
export function size(bytes: number): string {
  const step = Math.min(SIZES.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const unit = SIZES[step] ?? "byte";
  const digits = step === 0 ? 0 : 1;
  return new Intl.NumberFormat(locale(), { style: "unit", unit, maximumFractionDigits: digits }).format(bytes / 1000 ** step);
}

/** A plain day ("2026-05-01") as the language writes it, the same in every time zone. */
export function day(text: string): string {
  const date = new Date(`${text}T00:00:00Z`);
  return new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeZone: "UTC" }).format(date);
}

const SITE_DAY = /^[A-Z][a-z]{2,8}\.? \d{1,2}, \d{4}$/;

/** A day as the site writes it ("Nov 24, 2026") as the language writes it; any other text as it is. */
export function siteDay(text: string): string {
  const time = SITE_DAY.test(text) ? Date.parse(`${text} UTC`) : Number.NaN;
  return Number.isNaN(time) ? text : new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeZone: "UTC" }).format(time);
}

const SPANS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** "in 29 minutes", "2 hours ago". */
export function relative(text: string, now: number = Date.now()): string {
  const seconds = Math.round((Date.parse(text) - now) / 1000);
  const [unit, length] = SPANS.find(([, span]) => Math.abs(seconds) >= span) ?? ["second", 1];
  return new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(Math.trunc(seconds / length), unit);
}

/** "12 sec", "3 min". */
export function duration(seconds: number): string {
  const [unit, value] = seconds < 60 ? ["second", Math.ceil(seconds)] as const : ["minute", Math.ceil(seconds / 60)] as const;
  return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "short" }).format(value);
}
