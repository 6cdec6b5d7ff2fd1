import { type ByteWindow, type SeekSource, seekWindow } from './byte-window.ts';
import type { Encoding } from './elements.ts';
import { readFileStart } from './file-start.ts';
import { inflatedWindow } from './inflate.ts';
import { walkDataset } from './walk.ts';

export type { SeekSource } from './byte-window.ts';

/**
 * whole: every element lies within the file. short: it ends too early, still being written or cut off.
 * not-dicom: something else (DCM-2202). malformed: it begins as DICOM, and then has no structure that could be
 * followed (DCM-2215).
 */
export type Completeness = 'whole' | 'short' | 'not-dicom' | 'malformed';

/** File meta information beyond this is none. */
const longestStart = 1024 * 1024;
/** Zero bytes that may follow pixel data: what fills a block, not what a preallocated file still lacks. */
const longestFill = 64 * 1024;
/** Output of a deflated dataset: room for the largest images, and no more than seconds of work for a bomb. */
const inflatedFloor = 2 ** 29;
const inflatedRatio = 100;

/**
 * What makes an image, a report or a plan comes after group 0020; but private groups stand between that and the image's
 * own. Group 0004 is all there is in a media directory.
 */
const isContent = (group: number): boolean =>
  group === 0x0004 || group >= 0x0028 || (group > 0x0020 && group % 2 === 0);
/** Samples per pixel, rows, columns: where one of them is, pixels must follow (PS3.3, Image Pixel module). */
const imageTags = new Set([0x0028_0002, 0x0028_0010, 0x0028_0011]);
/**
 * Float, double float and other pixel data, and what stands in their place: spectroscopy data, the address of a pixel
 * provider (PS3.3, Image Pixel and MR Spectroscopy Data modules). Offset tables, also in group 7FE0, are no pixels.
 */
const pixelTags = new Set([0x7fe0_0008, 0x7fe0_0009, 0x7fe0_0010, 0x5600_0020, 0x0028_7fe0]);

/**
 * Whether a file is structurally whole, by walking over the lengths of its elements: pixel data is skipped, fragments
 * of encoded images are followed item by item to their end. Native pixel data must lie wholly in the file. An image
 * without its pixels is short, and so is a file in which nothing comes after patient, study and series. Costs one read
 * of 64 KB for an ordinary image, one small read for each jump beyond, and a full inflating for a deflated file.
 * Rejects only with what `readAt` rejects with.
 *
 * It cannot see: a report or plan cut off between two of its elements; zeros in place of native pixels (a file
 * preallocated by Samba). Time and size standing still must cover those (reference/dicom.md §4.2).
 */
export async function checkCompleteness(source: SeekSource): Promise<Completeness> {
  const window = seekWindow(source);
  let have = await window.load(0, Math.min(longestFill, source.size));
  if (have <= 0 || isZero(window.bytes.subarray(0, have))) return 'short';
  let start = readFileStart(window.bytes);
  if (start === 'more' && source.size > have) {
    have = await window.load(0, Math.min(longestStart, source.size));
    start = readFileStart(window.bytes);
  }
  if (start === 'more') return have < longestStart ? 'short' : 'malformed';
  if (start === 'not-dicom') return 'not-dicom';
  if (start === 'damaged') return 'malformed';
  if (!start.deflated) return await walked(window, start.datasetAt, start.encoding, source);

  const inflated = inflatedWindow(source, start.datasetAt, inflatedFloor + inflatedRatio * source.size);
  try {
    const verdict = await walked(inflated, 0, start.encoding);
    if (inflated.ended() === 'short') return 'short';
    return inflated.ended() === 'end' ? verdict : 'malformed';
  } finally {
    inflated.close();
  }
}

async function walked(window: ByteWindow, from: number, encoding: Encoding, file?: SeekSource): Promise<Completeness> {
  let isImage = false;
  let hasPixels = false;
  let hasContent = false;
  const { end, at } = await walkDataset(window, from, encoding, ({ tag }) => {
    if (isContent(tag >>> 16)) hasContent = true;
    if (imageTags.has(tag)) isImage = true;
    if (pixelTags.has(tag)) hasPixels = true;
    return false;
  });
  if (end === 'malformed') return 'malformed';
  if (end === 'short') return 'short';
  if (end === 'zeros') return hasPixels && (await isFill(window, at, file)) ? 'whole' : 'short';
  return hasContent && (!isImage || hasPixels) ? 'whole' : 'short';
}

/** Nothing but a little zero from `at` to the end. */
async function isFill(window: ByteWindow, at: number, file: SeekSource | undefined): Promise<boolean> {
  if (file !== undefined && file.size - at > longestFill) return false;
  const have = await window.load(at, longestFill + 1);
  return have <= longestFill && isZero(window.bytes.subarray(at - window.start, at - window.start + have));
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);
