/**
 * GB18030 encoder. The platform decodes GB18030 but encodes UTF-8 only, so the table is the decoder's,
 * reversed: what is written here always reads back the same.
 */
interface Table {
  /** Two-byte code (lead << 8 | trail) by UTF-16 unit, 0 when there is none. */
  two: Uint16Array;
  /** Linear four-byte index + 1 by UTF-16 unit, 0 when there is none. */
  four: Uint16Array;
}

/** Four-byte codes 81308130 … 8439FE39 cover what the BMP has beyond the two-byte table. */
const fourByteBmp = 39_420;
/** Linear index of 90308130, which is U+10000. */
const supplementary = 189_000;

const fourBytes = (index: number): [number, number, number, number] => [
  0x81 + Math.floor(index / 12_600),
  0x30 + (Math.floor(index / 1_260) % 10),
  0x81 + (Math.floor(index / 10) % 126),
  0x30 + (index % 10),
];

/** Decodes codes in one call, a line feed after each, and tells which UTF-16 unit each one is. */
function reversed(codes: Iterable<{ key: number; bytes: number[] }>, target: Uint16Array) {
  const keys: number[] = [];
  const bytes: number[] = [];
  for (const code of codes) {
    keys.push(code.key);
    bytes.push(...code.bytes, 0x0a);
  }
  const lines = new TextDecoder('gb18030').decode(Uint8Array.from(bytes)).split('\n');
  for (const [index, key] of keys.entries()) {
    const text = lines[index];
    if (text === undefined || text.length !== 1 || text === '\ufffd') continue;
    const unit = text.charCodeAt(0);
    // The first code wins: A1A1 and A3A0 both decode to U+3000.
    if (target[unit] === 0) target[unit] = key;
  }
}

function* twoByteCodes() {
  for (let lead = 0x81; lead <= 0xfe; lead++)
    for (let trail = 0x40; trail <= 0xfe; trail++)
      if (trail !== 0x7f) yield { key: (lead << 8) | trail, bytes: [lead, trail] };
}

function* fourByteCodes() {
  for (let index = 0; index < fourByteBmp; index++) yield { key: index + 1, bytes: fourBytes(index) };
}

let table: Table | undefined;
function loadTable(): Table {
  if (table === undefined) {
    table = { two: new Uint16Array(0x1_0000), four: new Uint16Array(0x1_0000) };
    reversed(twoByteCodes(), table.two);
    reversed(fourByteCodes(), table.four);
    // 8431A437 is U+FFFD itself, which the reversal cannot tell from "no such code".
    table.four[0xfffd] = 39_417 + 1;
  }
  return table;
}

/** Encodes text as GB18030. Lone surrogates, and the few characters without a code, become `?`. */
export function encodeGb18030(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) {
      bytes.push(code);
      continue;
    }
    if (code >= 0x1_0000) {
      bytes.push(...fourBytes(supplementary + code - 0x1_0000));
      continue;
    }
    const { two, four } = loadTable();
    const pair = two[code] ?? 0;
    const linear = four[code] ?? 0;
    if (pair !== 0) bytes.push(pair >> 8, pair & 0xff);
    else if (linear !== 0) bytes.push(...fourBytes(linear - 1));
    else bytes.push(0x3f);
  }
  return Uint8Array.from(bytes);
}

/** Length in bytes of the GB18030 character at `at`: 1, 2 or 4. A broken sequence counts as 1. */
export function gb18030CharacterLength(bytes: Uint8Array, at: number): 1 | 2 | 4 {
  const lead = bytes[at] ?? 0;
  if (lead < 0x81 || lead > 0xfe) return 1;
  const second = bytes[at + 1] ?? 0;
  if (second >= 0x30 && second <= 0x39) {
    const third = bytes[at + 2] ?? 0;
    const fourth = bytes[at + 3] ?? 0;
    return third >= 0x81 && third <= 0xfe && fourth >= 0x30 && fourth <= 0x39 ? 4 : 1;
  }
  return (second >= 0x40 && second <= 0x7e) || (second >= 0x80 && second <= 0xfe) ? 2 : 1;
}
