import type { HeadSource, ImageFacts } from '../../agent/images/image-reader.ts';
import type { ByteWindow, SeekSource } from './byte-window.ts';
import { type Encoding, undefinedLength } from './elements.ts';
import { type FileStart, type FileStartReading, readFileStart } from './file-start.ts';
import { headerOf, lastWantedTag, priorityTag, uidTags, wantedTags } from './header-fields.ts';
import { inflatedWindow } from './inflate.ts';
import { inHand, longestOtherIds, otherIdsSequenceTag, otherPatientIds } from './other-patient-ids.ts';
import { type WalkEnd, walkDataset } from './walk.ts';

/**
 * DCM-2202 not DICOM at all; DCM-2203 a UID that breaks the rules; DCM-2211 header damaged or cut off;
 * DCM-2212 header longer than 16 MB; DCM-2213 a UID is missing; DCM-2214 a media directory (DICOMDIR), no instance;
 * DCM-2216 an encoded image that does not say its transfer syntax.
 */
export type HeaderFault = 'DCM-2202' | 'DCM-2203' | 'DCM-2211' | 'DCM-2212' | 'DCM-2213' | 'DCM-2214' | 'DCM-2216';

export type HeaderReading =
  | {
      ok: true;
      header: ImageFacts;
      /** Where the dataset begins in the file: the end of group 0002, or 0 when there is none. */
      datasetOffset: number;
      /** The file starts as PS3.10 asks (preamble, DICM, transfer syntax); otherwise put `buildPreamble` before the dataset. */
      part10: boolean;
    }
  | { ok: false; code: HeaderFault };

export interface ReadHeaderOptions {
  /** A charset label that holds for this source whatever its files say (`GB18030`, `ISO_IR 192` …). */
  charset?: string;
}

/** How much of a file is asked for, one after the other. */
const steps = [16 * 1024, 64 * 1024, 1024 * 1024, 16 * 1024 * 1024] as const;
const most = steps[3];
/** Longer values are not what they should be, and are left out. */
const longestValue = 16 * 1024;

/** Float pixel data, the first of the three kinds; offset tables stand before. */
const firstPixelTag = 0x7fe0_0008;
const pixelDataTag = 0x7fe0_0010;
const directoryGroup = 0x0004;
/** Media Storage Directory Storage (PS3.4 annex I). */
const directoryClassUid = '1.2.840.10008.1.3.10';

/**
 * Reads what the header of an instance says from the first 16 KB of its file, or the first 64 KB, 1 MB or 16 MB where its
 * elements are that long; never more, never pixel data. Files without preamble or without file meta information are
 * read too, in any byte order; deflated ones are inflated as far as needed. Rejects only with what `read` rejects with.
 */
export async function readHeader(source: HeadSource, options: ReadHeaderOptions = {}): Promise<HeaderReading> {
  const head = growingHead(source);
  let start: FileStartReading = 'more';
  for (const step of steps) {
    await head.load(0, step);
    start = readFileStart(head.bytes);
    if (start !== 'more') break;
  }
  if (start === 'more') return { ok: false, code: source.size > most ? 'DCM-2212' : 'DCM-2211' };
  if (start === 'not-dicom') return { ok: false, code: 'DCM-2202' };
  if (start === 'damaged') return { ok: false, code: 'DCM-2211' };
  if (start.mediaSopClassUid === directoryClassUid || (!start.deflated && start.firstTag >>> 16 === directoryGroup))
    return { ok: false, code: 'DCM-2214' };

  const inflated = start.deflated ? inflatedWindow(head, start.datasetAt, most) : undefined;
  try {
    const { end, values, isEncoded, otherIds } = await readValues(
      start,
      inflated ?? head,
      inflated === undefined ? start.datasetAt : 0,
    );
    if (end === 'malformed') return { ok: false, code: 'DCM-2211' };
    const isWhole = inflated === undefined ? source.size <= most : inflated.ended() === 'end';
    if (end === 'stopped' || (end === 'end' && isWhole)) {
      // How native pixels are written shows in the bytes; how others are encoded is never guessed.
      if (isEncoded && start.transferSyntaxUid === undefined) return { ok: false, code: 'DCM-2216' };
      const made = headerOf(values, otherIds, start, options.charset);
      return made.ok ? { ...made, datasetOffset: start.datasetAt, part10: start.part10 } : made;
    }
    return { ok: false, code: source.size > most || inflated?.ended() === 'limit' ? 'DCM-2212' : 'DCM-2211' };
  } finally {
    inflated?.close();
  }
}

interface GrowingHead extends ByteWindow, SeekSource {}

/** The head as a window that reads the next step when it is asked for more, and as a file that ends after 16 MB. */
function growingHead(source: HeadSource): GrowingHead {
  let asked = 0;
  async function grow(end: number): Promise<void> {
    const step = steps.find((bytes) => bytes >= end) ?? most;
    // A head that came back shorter than asked for was the whole file.
    if (step <= asked || head.bytes.length < asked) return;
    asked = step;
    head.bytes = (await source.read(step)).subarray(0, step);
  }
  const head: GrowingHead = {
    size: Math.min(source.size, most),
    bytes: new Uint8Array(0),
    start: 0,
    async load(at, length) {
      await grow(at + length);
      return Math.min(length, head.bytes.length - at);
    },
    async readAt(offset, length) {
      if (offset >= head.bytes.length) await grow(offset + 1);
      return head.bytes.subarray(offset, offset + length);
    },
  };
  return head;
}

interface WantedValues {
  /** `stopped` when all of them had their turn. */
  end: WalkEnd;
  values: Map<number, Uint8Array>;
  /** Patient IDs of (0010,1002). */
  otherIds: Uint8Array[];
  isEncoded: boolean;
}

/** The wanted values of the dataset by tag. */
async function readValues(start: FileStart, window: ByteWindow, from: number): Promise<WantedValues> {
  let isEncoded = false;
  const values = new Map<number, Uint8Array>();
  const keep = (tag: number, at: number, length: number): boolean => {
    const here = at - window.start;
    const isThere = here + length <= window.bytes.length;
    if (isThere) values.set(tag, window.bytes.slice(here, here + length));
    return isThere;
  };
  const keepBeginning = async (tag: number, at: number, length: number): Promise<false> => {
    keep(tag, at, Math.max(0, await window.load(at, length)));
    return false;
  };
  const { end, at: endAt } = await walkDataset(window, from, start.encoding, ({ tag, length }, valueAt) => {
    if (tag >= firstPixelTag) {
      isEncoded = tag <= pixelDataTag && length === undefinedLength;
      return true;
    }
    // Elements come in the order of their tags; where UIDs are still missing a file may be out of order.
    if (tag > lastWantedTag && start.transferSyntaxUid !== undefined && uidTags.every((uid) => values.has(uid)))
      return true;
    if (!wantedTags.has(tag) || values.has(tag)) return false;
    if (tag === otherIdsSequenceTag) return keepBeginning(tag, valueAt, Math.min(length, longestOtherIds));
    if (length > longestValue) return false;
    if (keep(tag, valueAt, length)) return false;
    return window.load(valueAt, length).then(() => {
      // A value that is cut off is not kept, and the walk finds the end of the bytes by itself.
      keep(tag, valueAt, length);
      return false;
    });
  });
  if (end === 'stopped' && !values.has(priorityTag)) await keepPriority(window, endAt, start.encoding, values);
  const sequence = values.get(otherIdsSequenceTag);
  const otherIds = sequence === undefined ? [] : await otherPatientIds(sequence, start.encoding);
  return { end, values, otherIds, isEncoded };
}

/** A priority that stands later in a file is worth no read. */
const latestPriority = 64 * 1024;

/** Looks for (0040,1003) in the bytes that are there, and in the first 64 KB: there is no doubt about the header any more. */
async function keepPriority(
  window: ByteWindow,
  from: number,
  encoding: Encoding,
  values: Map<number, Uint8Array>,
): Promise<void> {
  const look = async (): Promise<boolean> => {
    const { bytes, start } = window;
    const { end } = await walkDataset(inHand(bytes, start), from, encoding, ({ tag, length }, valueAt) => {
      const here = valueAt - start;
      if (tag === priorityTag && length <= longestValue && here + length <= bytes.length)
        values.set(tag, bytes.slice(here, here + length));
      // Behind it, or with it: one that is not whole yet is looked at again.
      return tag > priorityTag || values.has(priorityTag);
    });
    return end === 'short' || end === 'end';
  };
  const ended = window.start + window.bytes.length;
  if (!(await look()) || ended >= latestPriority) return;
  await window.load(window.start, latestPriority - window.start);
  if (window.start + window.bytes.length > ended) await look();
}
