import fc from 'fast-check';
import t from 'tap';
import { createUnframed } from '../../../adapters/hl7v2/unframed.ts';

const most = 4096;
/** What comes out of chunks: texts of messages, `-n` for bytes skipped, `oversize`. */
function readAll(chunks: string[]): string[] {
  const unframed = createUnframed({ maxMessageBytes: most });
  const out: string[] = [];
  const drain = () => {
    for (let event = unframed.next(); event !== undefined; event = unframed.next()) {
      if (event.kind === 'garbage') out.push(`-${event.count}`);
      else out.push(event.kind === 'frame' ? Buffer.from(event.bytes).toString('latin1') : event.kind);
    }
  };
  for (const chunk of chunks) {
    unframed.push(Buffer.from(chunk, 'latin1'));
    drain();
  }
  const last = unframed.acceptOpenEnd();
  if (last?.kind === 'frame') out.push(Buffer.from(last.bytes).toString('latin1'));
  drain();
  return out;
}
const message = (id: number, end: string, tail = '') => [`MSH|^~\\&|LIS|${id}`, `PID|${id}${tail}`, ''].join(end);

t.test('point 17: any messages, cut anywhere, come out byte for byte', async (t) => {
  const one = fc
    .tuple(
      fc.nat(99),
      fc.constantFrom('\r', '\n', '\r\n', '\r \r\n'),
      fc.constantFrom('', '|MSH', '\rNTE|1||MSH is a word\rMS', '|\rMSH\rmsh|a', '|  MSH|^~\\&|'),
    )
    .map(([id, end, tail]) => message(id, end, tail));
  fc.assert(
    fc.property(
      fc.array(one, { minLength: 1, maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 90 })),
      (all, cuts) => {
        let rest = all.join('');
        const chunks: string[] = [];
        for (const cut of cuts) {
          chunks.push(rest.slice(0, cut));
          rest = rest.slice(cut);
        }
        t.same(readAll([...chunks, rest]), all);
        t.same(readAll([...all.join('')]), all, 'byte by byte');
      },
    ),
    { numRuns: 150 },
  );
});

t.test('point 17: what stands before the first message is skipped, however it comes', async (t) => {
  const [one] = [message(1, '\r')];
  const before = 'HTTP/1.1 200\r\nno MSH|^~\\&|within a line\r\n';
  const skipped = (parts: string[]) =>
    parts.filter((part) => /^-\d+$/.test(part)).reduce((sum, part) => sum - Number(part), 0);
  for (const chunks of [[before + one], [before, one], [...before, ...one]]) {
    const out = readAll(chunks);
    t.same(
      out.filter((part) => !part.startsWith('-')),
      [one],
    );
    t.ok(skipped(out) > 0);
  }
  t.same(readAll([`\x0b \r\n\x1c\r${one}`]), [one], 'blanks and the rest of a framing are nothing');
  t.same(readAll(['  \t', ' ', one]), [one]);
  t.same(
    readAll(['x'.repeat(50), `  ${one}`]).filter((part) => part.startsWith('MSH')),
    [],
    'not in the middle of a line',
  );
});

t.test('point 17: marks of texts between messages belong to none, cut anywhere', async (t) => {
  const bom = '\xef\xbb\xbf';
  const all = [1, 2, 3].map((id) => message(id, '\r'));
  for (const mark of [
    bom,
    '\x1a',
    '\x0c',
    '\x00\x00',
    `\x1a\r\n${bom}`,
    `${' '.repeat(20)}${bom}`,
    `\x0c ${bom}${bom} `,
  ]) {
    const text = all.map((one) => mark + one).join('') + mark.replace(/ +$/, '');
    const whole = readAll([text]);
    t.same(
      whole.map((one) => one.replace(/ +$/, '')),
      all,
      JSON.stringify(mark),
    );
    t.same(readAll([...text]), whole, 'byte by byte');
    for (let cut = 1; cut < text.length; cut++) t.same(readAll([text.slice(0, cut), text.slice(cut)]), whole);
  }
  t.same(readAll([`${bom}Msh|^~\\&|A\rPID|1\r\x1amSH|^~\\&|BBBBBBBB\r`]), [
    'Msh|^~\\&|A\rPID|1\r',
    'mSH|^~\\&|BBBBBBBB\r',
  ]);
});

t.test('point 17: what ends a line is of its message, whatever bytes it is', async (t) => {
  for (const end of [
    '\xef\xbb\xbf',
    ' \xef\xbb\xbf',
    '\x81\xef\xbb\xbf',
    '\x1a\xef\xbb\xbf',
    '\xef\xbb\xbf\xef\xbb\xbf ',
  ]) {
    const all = [message(1, '\r', end), message(2, '\r', end)];
    t.same(readAll([all.join('')]), all);
    t.same(readAll([...all.join('')]), all);
  }
});

t.test('point 17: an envelope stays together, and what is too long is told once', async (t) => {
  const batch = `BHS|^~\\&|LIS\r${message(1, '\r')}${message(2, '\r')}BTS|2\r`;
  t.same(readAll([message(0, '\r'), batch]), [message(0, '\r'), batch]);
  const long = message(3, '\r', 'x'.repeat(most));
  t.same(readAll([message(0, '\r'), long, message(4, '\r')]), [message(0, '\r'), 'oversize']);
});

t.test('point 17: endless blanks, words and line ends cost no more than their bytes', async (t) => {
  for (const text of [' ', '\r', '\r ', 'x\r', '\rMSH ', 'MSH', '\rMSH|^~\\&|']) {
    const unframed = createUnframed({ maxMessageBytes: 1 << 26 });
    unframed.push(Buffer.from(message(1, '\r')));
    const chunk = Buffer.from(text.repeat(Math.ceil(65_536 / text.length)));
    const started = process.cpuUsage();
    let taken = 0;
    for (let n = 0; n < 20; n++) {
      unframed.push(chunk);
      while (unframed.next() !== undefined) taken += 1;
    }
    const { user } = process.cpuUsage(started);
    t.ok(user < 4_000_000, `${JSON.stringify(text)}: ${user / 1000} ms for 1.3 MB, ${taken} messages`);
  }
});
