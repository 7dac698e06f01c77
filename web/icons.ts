/** The app's icons as PNG files, drawn here: the strokes of `src/icon.svg` on its square. */
import { crc32, deflateSync } from "node:zlib";

type Point = readonly [x: number, y: number];

const GROUND = [0xb2, 0x3a, 0x1e] as const;
/** Units of the drawing, of which the square has 32. */
const UNITS = 32;
const CORNER = 8;
const STROKE = 2.6;

/** The j, whose hook is a quarter of a circle, and the m. */
const HOOK: Point[] = Array.from({ length: 9 }, (_, step) => {
  const angle = (step / 8) * (Math.PI / 2);
  return [6 + 4 * Math.cos(angle), 19 + 4 * Math.sin(angle)];
});
const LINES: readonly Point[][] = [[[10, 8], ...HOOK], [[14, 23], [14, 9], [18.5, 16], [23, 9], [23, 23]]];

/**
 * A square PNG of `size` pixels. `isMaskable`: the ground fills it, and the letters stay in the middle, since systems
 * cut such icons to their own shapes.
 */
export function icon(size: number, isMaskable: boolean): Buffer {
  const scale = UNITS / size;
  const zoom = isMaskable ? 1.5 : 1;
  const pixels = Buffer.alloc(size * (size * 4 + 1));
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      const at: Point = [(x + 0.5) * scale, (y + 0.5) * scale];
      const ground = isMaskable ? 1 : covered(outsideSquare(at) / scale);
      const letter = covered((distance([middle(at[0], zoom), middle(at[1], zoom)]) - STROKE / 2) / (scale * zoom));
      const offset = y * (size * 4 + 1) + 1 + x * 4;
      GROUND.forEach((value, channel) => (pixels[offset + channel] = Math.round(value + (255 - value) * letter)));
      pixels[offset + 3] = Math.round(255 * ground);
    }
  }
  return png(size, pixels);
}

function middle(value: number, zoom: number): number {
  return UNITS / 2 + (value - UNITS / 2) * zoom;
}

/** How much of a pixel is inside, by the distance of its middle from the edge in pixels; negative is inside. */
function covered(pixels: number): number {
  return Math.min(1, Math.max(0, 0.5 - pixels));
}

function outsideSquare([x, y]: Point): number {
  const dx = Math.abs(x - UNITS / 2) - UNITS / 2 + CORNER;
  const dy = Math.abs(y - UNITS / 2) - UNITS / 2 + CORNER;
  return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - CORNER;
}

/** From the nearest stroke. */
function distance(point: Point): number {
  return Math.min(...LINES.flatMap((line) => line.slice(1).map((end, index) => toSegment(point, line[index] ?? end, end))));
}

function toSegment([x, y]: Point, [ax, ay]: Point, [bx, by]: Point): number {
  const [dx, dy] = [bx - ax, by - ay];
  const along = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)));
  return Math.hypot(x - ax - along * dx, y - ay - along * dy);
}

function png(size: number, pixels: Buffer): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 6, 0, 0, 0], 8); // 8 bits, with alpha
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", deflateSync(pixels, { level: 9 })), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
