import { isAscii } from 'node:buffer';
import type { ByteWindow } from './byte-window.ts';
import { type Encoding, isKnownVr, itemTag, tagAt, vrAt } from './elements.ts';
import { walkDataset } from './walk.ts';

/** Other Patient IDs Sequence (PS3.3 §C.7.1.1), whose items have each a Patient ID and what issued it. */
export const otherIdsSequenceTag = 0x0010_1002;
/** Longest part of the sequence that is looked at; a file could fill 16 MB with items. */
export const longestOtherIds = 16 * 1024;
const mostItems = 32;
/** As of any value of LO, with room for a charset of four bytes a character (PS3.5 table 6.2-1: 64 characters). */
const longestId = 256;

const charsetTag = 0x0008_0005;
const patientIdTag = 0x0010_0020;

/** A window that has all it will ever have. */
export const inHand = (bytes: Uint8Array, start = 0): ByteWindow => ({
  bytes,
  start,
  load: async (at, length) => Math.min(length, start + bytes.length - at),
});

/**
 * The raw Patient IDs of the items that begin in `bytes`, the value of the sequence or its beginning. Left out is one
 * beyond ASCII in an item with a charset of its own. What cannot be followed ends the search: these numbers are never a
 * reason to doubt the header.
 */
export async function otherPatientIds(bytes: Uint8Array, outside: Encoding): Promise<Uint8Array[]> {
  const window = inHand(bytes);
  const ids: Uint8Array[] = [];
  let at = 0;
  for (let items = 0; items < mostItems && tagAt(bytes, at, outside.littleEndian) === itemTag; items++) {
    let id: Uint8Array | undefined;
    let ownCharset = false;
    // Under VR UN items may be written otherwise than what surrounds them (PS3.5 §6.2.2 note 2): the first element tells.
    const encoding = { ...outside, explicit: isKnownVr(vrAt(bytes, at + 12)) };
    // An item is walked as if it were a dataset: that ends where the next item begins. Behind the last come elements
    // that follow the sequence, whose tags are higher than any in an item.
    const walk = await walkDataset(window, at + 8, encoding, ({ tag, length }, valueAt) => {
      if (tag === charsetTag) ownCharset = true;
      if (tag === patientIdTag && length <= longestId && valueAt + length <= bytes.length)
        id ??= bytes.slice(valueAt, valueAt + length);
      return tag > otherIdsSequenceTag;
    });
    if (id !== undefined && (!ownCharset || isAscii(id))) ids.push(id);
    if (walk.end !== 'malformed') break;
    at = walk.at;
  }
  return ids;
}
