import { inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { icon } from "../../icons";
import { viewOfShared } from "./shared";

test.each([
  ["?url=https%3A%2F%2Fcomics.example%2Falbum%2F350234", "#/album/350234"],
  ["?text=Look%3A%20https%3A%2F%2Fcomics.example%2Fphoto%2F333909%20!", "#/album/333909"],
  ["?title=A%20walk&text=JM350234", "#/album/350234"],
  ["?title=rain%20forest", "#/search?q=rain+forest"],
  ["?text=&url=", null],
  ["", null],
])("%s leads to %s", (query, view) => {
  expect(viewOfShared(query)).toBe(view);
});

/** Red, green, blue and alpha of a pixel. */
function pixel(png: Buffer, size: number, x: number, y: number): number[] {
  const data = png.indexOf("IDAT") + 4;
  const rows = inflateSync(png.subarray(data, data + png.readUInt32BE(data - 8)));
  return [...rows.subarray(y * (size * 4 + 1) + 1 + x * 4).subarray(0, 4)];
}

test("an icon has round corners and white letters, one that a system cuts has neither corners nor letters at its edge", () => {
  const plain = icon(64, false);
  expect([plain.readUInt32BE(16), plain.readUInt32BE(20)]).toEqual([64, 64]);
  expect(pixel(plain, 64, 0, 0)[3]).toBe(0);
  expect(pixel(plain, 64, 20, 24)).toEqual([255, 255, 255, 255]);
  const cut = icon(64, true);
  expect(pixel(cut, 64, 0, 0)).toEqual([0xb2, 0x3a, 0x1e, 255]);
  expect(pixel(cut, 64, 12, 32)).toEqual([0xb2, 0x3a, 0x1e, 255]);
});
