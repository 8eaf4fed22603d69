import { crc32, deflateSync } from "node:zlib";
import type { Page } from "playwright-core";

const MOST_COLOURS = 256;

/**
 * A screenshot as a PNG with a palette, a third of the bytes: 256 of a page's colours are all that an eye tells
 * apart; any other, at the edges of letters, becomes the nearest of them.
 *
 * @param page any page: a browser can decode a PNG, and Node.js cannot
 */
export async function withPalette(page: Page, png: Buffer): Promise<Buffer> {
  const { width, pixels } = await decoded(page, png);
  const counts = new Map<number, number>();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  const byCount = [...counts].sort(([, a], [, b]) => b - a).map(([colour]) => colour);
  const palette = paletteOf(byCount);
  const places = new Map(byCount.map((colour) => [colour, nearest(palette, colour).place]));
  const height = pixels.length / width;
  // Each line begins with its filter: none, as differences between places in a palette mean nothing.
  const lines = Buffer.alloc((width + 1) * height);
  for (const [index, pixel] of pixels.entries()) {
    lines[Math.floor(index / width) * (width + 1) + 1 + (index % width)] = places.get(pixel) ?? 0;
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const colours = Buffer.from(palette.flatMap(parts));
  return Buffer.concat([
    Buffer.from("89504e470d0a1a0a", "hex"),
    ...[chunk("IHDR", header), chunk("PLTE", colours), chunk("IDAT", deflateSync(lines, { level: 9 })), chunk("IEND")],
  ]);
}

const parts = (colour: number) => [colour & 0xff, (colour >> 8) & 0xff, (colour >> 16) & 0xff];

async function decoded(page: Page, png: Buffer): Promise<{ width: number; pixels: Uint32Array }> {
  const [width, base64]: [number, string] = await page.evaluate(`(async () => {
    const bitmap = await createImageBitmap(await (await fetch("data:image/png;base64,${png.toString("base64")}")).blob());
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    canvas.drawImage(bitmap, 0, 0);
    const { data } = canvas.getImageData(0, 0, bitmap.width, bitmap.height);
    let text = "";
    for (let i = 0; i < data.length; i += 32_768) text += String.fromCharCode(...data.subarray(i, i + 32_768));
    return [bitmap.width, btoa(text)];
  })()`);
  const bytes = Buffer.from(base64, "base64");
  return {
    width,
    pixels: new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4).map((each) => each & 0xffffff),
  };
}

/** Frequent colours that are far from each other first, then what is nearer: a line that is rare keeps its colour. */
function paletteOf(byCount: readonly number[]): number[] {
  const palette: number[] = [];
  for (const apart of [400, 100, 25, 1]) {
    for (const colour of byCount) {
      if (palette.length < MOST_COLOURS && nearest(palette, colour).distance >= apart) palette.push(colour);
    }
  }
  return palette;
}

function nearest(palette: readonly number[], colour: number): { readonly place: number; readonly distance: number } {
  const wanted = parts(colour);
  let best = { place: 0, distance: Number.POSITIVE_INFINITY };
  for (const [place, other] of palette.entries()) {
    const distance = parts(other).reduce((sum, part, index) => sum + (part - (wanted[index] ?? 0)) ** 2, 0);
    if (distance < best.distance) best = { place, distance };
  }
  return best;
}

function chunk(type: string, data: Buffer = Buffer.alloc(0)): Buffer {
  const named = Buffer.concat([Buffer.from(type, "ascii"), data]);
  const around = Buffer.alloc(8);
  around.writeUInt32BE(data.length, 0);
  around.writeUInt32BE(crc32(named), 4);
  return Buffer.concat([around.subarray(0, 4), named, around.subarray(4)]);
}
