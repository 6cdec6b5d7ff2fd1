/**
 * Every character of GB18030 that XML may hold, as texts of `length` characters: all one-, two- and four-byte
 * codes in the order of their bytes, decoded as the agent does. U+0020 and above: a name has no control characters.
 */
export function gb18030Names(length: number): string[] {
  const codes: number[] = [];
  for (let a = 0x20; a < 0x7f; a++) codes.push(a);
  for (let a = 0x81; a <= 0xfe; a++) {
    for (let b = 0x40; b <= 0xfe; b++) if (b !== 0x7f) codes.push(a, b);
  }
  // The rest of the basic plane (0x81 to 0x84), then the other planes (0x90 to 0xe3).
  for (let a = 0x81; a <= 0xe3; a++) {
    if (a > 0x84 && a < 0x90) continue;
    for (let b = 0x30; b <= 0x39; b++) {
      for (let c = 0x81; c <= 0xfe; c++) for (let d = 0x30; d <= 0x39; d++) codes.push(a, b, c, d);
    }
  }
  const decoded = new TextDecoder('gb18030').decode(Uint8Array.from(codes));
  // What has no character decodes as U+FFFD; U+FFFE and U+FFFF are no characters of XML.
  const characters = [...new Set(decoded)]
    .filter((c) => c > '\x9f' || c < '\x7f')
    .filter((c) => !/[\ufffd-\uffff]/.test(c));
  return Array.from({ length: Math.ceil(characters.length / length) }, (_, n) =>
    characters.slice(n * length, (n + 1) * length).join(''),
  );
}
