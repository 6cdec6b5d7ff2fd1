import fc from 'fast-check';
import t from 'tap';
import { frame } from '../../../../adapters/hl7v2/framing.ts';
import { takeApart } from '../../../../adapters/hl7v2/take-apart.ts';
import { type Content, contentOf } from '../../../../adapters/sources/hl7-folder/content.ts';
import type { OpenFile } from '../../../../adapters/sources/watching/open-file.ts';
import { oru } from '../hl7-mllp/listener.ts';

const fileOf = (bytes: Buffer): OpenFile => ({
  size: bytes.length,
  identity: { size: bytes.length, mtimeNs: 0n, ino: 0n },
  readInto: async (into, length, offset) => bytes.copy(into, 0, offset, Math.min(bytes.length, offset + length)),
  identityNow: async () => ({ size: bytes.length, mtimeNs: 0n, ino: 0n }),
});

/** What a file gives when it is read with a window of so many bytes; parts as text. */
async function readBy(windowBytes: number, bytes: Buffer, framed = false, maxMessageBytes = 100_000) {
  const kinds: Array<Content['kind']> = [];
  const parts: string[] = [];
  let miscounted = false;
  let envelope = false;
  const options = { framed, maxMessageBytes, requireEnd: true, piece: new Uint8Array(windowBytes) };
  for await (const content of contentOf(fileOf(bytes), options)) {
    kinds.push(content.kind);
    if ('parts' in content) parts.push(...content.parts.map((part) => Buffer.from(part).toString('latin1')));
    if (content.kind === 'parts') envelope ||= content.envelope !== undefined;
    if (content.kind === 'end') miscounted ||= content.miscounted;
  }
  return { kinds, parts, miscounted, envelope };
}

const message = fc
  .record({
    id: fc.nat(999),
    lines: fc.array(fc.constantFrom('OBX|1|ST|X||y', 'NTE|1||MSH in a text', 'BTS of a text', '')),
  })
  .chain(({ id, lines }) =>
    fc.constantFrom('\r', '\n', '\r\n').map((end) => `${oru(`W${id}`)}${lines.join('\r')}\r`.replaceAll('\r', end)),
  );

t.test('a file read in small windows gives the same parts as one held whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { minLength: 2, maxLength: 12 }),
      fc.boolean(),
      fc.nat(3),
      fc.integer({ min: 120, max: 900 }),
      async (messages, batch, off, windowBytes) => {
        const body = messages.join('');
        const text = batch ? `FHS|^~\\&|A\rBHS|^~\\&|A\r${body}BTS|${messages.length + off}\rFTS|1\r` : body;
        const bytes = Buffer.from(text, 'latin1');
        const whole = takeApart(bytes, 1000);
        const read = await readBy(windowBytes, bytes);
        const expected = whole?.parts.map((part) => Buffer.from(part).toString('latin1')) ?? [text];
        if (JSON.stringify(read.parts) !== JSON.stringify(expected)) return false;
        return read.miscounted === (whole?.miscounted === true) && read.envelope === (whole?.envelope !== undefined);
      },
    ),
    { numRuns: 300 },
  );
});

t.test('frames of one message come together, one with several by itself, in order', async (t) => {
  const frames = [oru('A'), oru('B'), oru('C') + oru('D'), oru('E')].map((text) => frame(Buffer.from(text)));
  for (const windowBytes of [7, 64, 100_000]) {
    const read = await readBy(windowBytes, Buffer.concat(frames), true);
    t.same(
      read.parts,
      ['A', 'B', 'C', 'D', 'E'].map((id) => oru(id)),
      `windows of ${windowBytes}`,
    );
  }
});

t.test('a message over the limit ends the reading, however far its end is', async (t) => {
  const large = `${oru('L')}OBX|1|FT|X||${'x'.repeat(5000)}\r`;
  const bytes = Buffer.from(oru('A') + large + oru('B'));
  const read = await readBy(256, bytes, false, 1024);
  t.same(read.parts, [oru('A')]);
  t.equal(read.kinds.at(-1), 'oversize');
});

t.test('a frame of hundreds of thousands of headers ends the reading', async (t) => {
  const headers = Buffer.from('MSH|^\r'.repeat(200_000));
  const bytes = Buffer.concat([frame(Buffer.from(oru('A'))), frame(headers), frame(Buffer.from(oru('B')))]);
  const read = await readBy(64 * 1024, bytes, true, 16 * 1024 * 1024);
  t.same(read.parts, [oru('A')]);
  t.equal(read.kinds.at(-1), 'oversize');
});
