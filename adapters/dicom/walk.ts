import { setImmediate } from 'node:timers/promises';
import type { ByteWindow } from './byte-window.ts';
import {
  type ElementHead,
  type Encoding,
  explicitLittle,
  implicitLittle,
  isKnownVr,
  itemEndTag,
  itemTag,
  readElementHead,
  sequenceEndTag,
  tagAt,
  uint32,
  undefinedLength,
  vrAt,
} from './elements.ts';

/**
 * stopped: the visitor had enough. end: the last value ends where the bytes end. short: the bytes end before.
 * zeros: zero where an element of the dataset itself should begin. malformed: no structure that could be followed.
 */
export type WalkEnd = 'stopped' | 'end' | 'short' | 'zeros' | 'malformed';

/** Called for each element of the dataset itself, not for those inside sequences; true stops the walk. */
export type Visitor = (element: ElementHead, valueAt: number) => boolean | Promise<boolean>;

interface Level {
  /** hidden: a sequence under VR UN. */
  kind: 'sequence' | 'hidden' | 'item' | 'fragments';
  encoding: Encoding;
}

/** Deeper than any real file, and far too little to hurt. */
const deepest = 64;
/** Elements, items and fragments: an enhanced image of 10,000 frames has about a million. */
const mostElements = 20_000_000;

/** After so many of them other work has its turn. */
const turn = 50_000;

const pixelDataTag = 0x7fe0_0010;

/**
 * Walks over a dataset by the lengths of its elements (PS3.5 §7.1, §7.5, §A.4), without looking into values. Elements
 * of undefined length are followed item by item to their end. Time and memory are bounded by depth and count. Gives how
 * it ended, and where.
 */
export async function walkDataset(
  window: ByteWindow,
  from: number,
  encoding: Encoding,
  visit: Visitor,
): Promise<{ end: WalkEnd; at: number }> {
  const levels: Level[] = [];
  let at = from;
  /** The last length came from a head without a VR anybody knows: do not trust it to mean that bytes are missing. */
  let doubtful = false;
  for (let count = 0; count < mostElements; count++) {
    if (count % turn === turn - 1) await setImmediate();
    let here = at - window.start;
    let have = 12;
    if (here < 0 || here + 12 > window.bytes.length) {
      have = await window.load(at, 12);
      here = at - window.start;
    }
    if (have === 0 && levels.length === 0) return { end: 'end', at };
    const level = levels.at(-1);
    if (have < 8) {
      const rest = window.bytes.subarray(here, here + have);
      if (have > 0 && level === undefined && rest.every((byte) => byte === 0)) return { end: 'zeros', at };
      return { end: have < 0 && doubtful ? 'malformed' : 'short', at };
    }

    const current = level?.encoding ?? encoding;
    const tag = tagAt(window.bytes, here, current.littleEndian);
    if (tag === 0 && uint32(window.bytes, here + 4, true) === 0)
      return { end: level === undefined ? 'zeros' : 'short', at };

    if (level !== undefined && level.kind !== 'item') {
      const length = uint32(window.bytes, here + 4, current.littleEndian);
      at += 8;
      doubtful = false;
      if (tag === sequenceEndTag) levels.pop();
      else if (tag !== itemTag) return { end: 'malformed', at: at - 8 };
      else if (length !== undefinedLength) at += length;
      else if (level.kind === 'fragments') return { end: 'malformed', at: at - 8 };
      else {
        const inside = level.kind === 'hidden' ? await hiddenEncoding(window, at) : current;
        levels.push({ kind: 'item', encoding: inside });
      }
    } else if (tag === itemEndTag || tag === sequenceEndTag) {
      // Between elements of the dataset itself a stray delimiter means nothing. Inside an item the end of the sequence
      // ends the item too, where a writer forgot that.
      if (level !== undefined) levels.pop();
      if (level !== undefined && tag === sequenceEndTag) levels.pop();
      at += 8;
    } else {
      const element = readElementHead(window.bytes, here, current);
      if (element === undefined) return { end: 'short', at };
      if (tag === itemTag) return { end: 'malformed', at };
      const valueAt = at + element.size;
      if (level === undefined) {
        const answer = visit(element, valueAt);
        if (answer === true || (answer !== false && (await answer))) return { end: 'stopped', at };
      }
      doubtful = current.explicit && !isKnownVr(element.vr);
      at = valueAt;
      if (element.length !== undefinedLength) at += element.length;
      else if (levels.length >= deepest) return { end: 'malformed', at };
      else levels.push(undefinedLevel(element, current));
    }
  }
  return { end: 'malformed', at };
}

/** What stands in an element of undefined length: fragments of an encoded image (PS3.5 §A.4), or items. */
function undefinedLevel({ tag, vr }: ElementHead, encoding: Encoding): Level {
  if (tag === pixelDataTag || vr === 'OB' || vr === 'OW') return { kind: 'fragments', encoding };
  // UN hides a sequence in implicit VR little endian, whatever surrounds it (PS3.5 §6.2.2 note 2).
  return vr === 'UN' ? { kind: 'hidden', encoding: implicitLittle } : { kind: 'sequence', encoding };
}

/** Some writers put explicit VR under UN all the same: a known VR in the first element of an item tells. */
async function hiddenEncoding(window: ByteWindow, at: number): Promise<Encoding> {
  if ((await window.load(at, 8)) < 8) return implicitLittle;
  return isKnownVr(vrAt(window.bytes, at - window.start + 4)) ? explicitLittle : implicitLittle;
}
