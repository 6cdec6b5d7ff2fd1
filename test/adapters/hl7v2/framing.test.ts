import fc from 'fast-check';
import t from 'tap';
import { createFramer, type FrameEvent, type FramerOptions, frame } from '../../../adapters/hl7v2/framing.ts';

const bytes = (...parts: Array<string | number>): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.of(part))));
const text = (value: Uint8Array): string => Buffer.from(value).toString('latin1');

const options: FramerOptions = { maxMessageBytes: 1 << 20, requireEnd: true };

function run(chunks: Uint8Array[], given: FramerOptions = options): FrameEvent[] {
  const framer = createFramer(given);
  const events: FrameEvent[] = [];
  for (const chunk of chunks) {
    framer.push(chunk);
    for (let event = framer.next(); event !== undefined; event = framer.next()) events.push(event);
  }
  return events;
}
const frames = (events: FrameEvent[]): string[] =>
  events.flatMap((event) => (event.kind === 'frame' ? [text(event.bytes)] : []));
const oneByOne = (whole: Uint8Array): Uint8Array[] => [...whole].map((byte) => Uint8Array.of(byte));

t.test('point 1: a frame gives its payload, and frame() makes the same frame', async (t) => {
  t.same(frames(run([bytes(0x0b, 'MSH|x\r', 0x1c, 0x0d)])), ['MSH|x\r']);
  t.equal(text(frame(bytes('MSH|x\r'))), '\x0bMSH|x\r\x1c\r');
});

t.test('point 2: one byte at a time gives one message', async (t) => {
  t.same(frames(run(oneByOne(bytes(0x0b, 'MSH|x\rPID|', 0x1c, 0x0d)))), ['MSH|x\rPID|']);
});

t.test('point 3: two frames in one chunk, one can be taken at a time', async (t) => {
  const framer = createFramer(options);
  framer.push(bytes(0x0b, 'a', 0x1c, 0x0d, 0x0b, 'b', 0x1c, 0x0d));
  t.match(framer.next(), { kind: 'frame', bytes: bytes('a') });
  t.match(framer.next(), { kind: 'frame', bytes: bytes('b') });
  t.equal(framer.next(), undefined);
});

t.test('point 4: 1C and 0D in different chunks', async (t) => {
  t.same(frames(run([bytes(0x0b, 'a', 0x1c), bytes(0x0d)])), ['a']);
});

t.test('point 5: bytes before 0B are skipped and counted', async (t) => {
  const events = run([bytes('\r\n\0zz', 0x0b, 'a', 0x1c, 0x0d, '\n')]);
  t.same(
    events.map((event) => (event.kind === 'garbage' ? event.count : event.kind)),
    [5, 'frame', 1],
  );
});

t.test('point 6: a missing final 0D is accepted only by rule', async (t) => {
  const two = bytes(0x0b, 'a', 0x1c, 0x0b, 'b', 0x1c);
  const strict = createFramer(options);
  strict.push(two);
  t.match(strict.next(), { kind: 'restarted' }, 'strict: never a frame');
  t.equal(strict.next(), undefined);
  t.equal(strict.acceptOpenEnd(), undefined);

  const lenient = createFramer({ ...options, requireEnd: false });
  lenient.push(two);
  t.match(lenient.next(), { kind: 'frame', bytes: bytes('a') });
  t.equal(lenient.next(), undefined);
  t.ok(lenient.endsOpen());
  t.match(lenient.acceptOpenEnd(), { kind: 'frame', bytes: bytes('b') });
  t.equal(lenient.acceptOpenEnd(), undefined, 'once');
});

t.test('a frame without 1C is never given, whatever the rule', async (t) => {
  const lenient = createFramer({ ...options, requireEnd: false });
  lenient.push(bytes(0x0b, 'MSH|potassium 6.'));
  t.equal(lenient.next(), undefined);
  t.equal(lenient.acceptOpenEnd(), undefined);
  t.equal(lenient.openFrame(), 1);
});

t.test('point 7: 0x1C inside the payload not followed by 0x0D is content', async (t) => {
  const whole = bytes(0x0b, 'a', 0x1c, 'b', 0x1c, 0x1c, 0x0d);
  t.same(frames(run([whole])), ['a\x1cb\x1c']);
  t.same(frames(run(oneByOne(whole))), ['a\x1cb\x1c']);
});

t.test('point 8: 0x0B inside a frame drops the partial and starts anew', async (t) => {
  const events = run([bytes(0x0b, 'MSH|old'), bytes(0x0b, 'MSH|new', 0x1c, 0x0d)]);
  t.same(events[0], { kind: 'restarted', dropped: 7 });
  t.same(frames(events), ['MSH|new']);
});

t.test('point 11: a payload over the limit ends the framer with its head only', async (t) => {
  const limit = { maxMessageBytes: 10, requireEnd: true };
  t.same(frames(run([bytes(0x0b, '0123456789', 0x1c, 0x0d)], limit)), ['0123456789'], 'exactly the limit is taken');
  for (const chunks of [[bytes(0x0b, '01234567890', 0x1c, 0x0d)], oneByOne(bytes(0x0b, '01234567890', 0x1c, 0x0d))]) {
    const events = run([...chunks, bytes(0x0b, 'b', 0x1c, 0x0d)], limit);
    t.equal(events.length, 1);
    t.match(events[0], { kind: 'oversize' });
  }
  t.match(run([bytes(0x0b, '012345678', 0x1c, 0x1c, 'x')], limit), [{ kind: 'oversize' }], '1C counts as content');
});

t.test('point 11: an endless frame holds no more than the limit', async (t) => {
  const framer = createFramer({ maxMessageBytes: 1 << 20, requireEnd: true });
  framer.push(Uint8Array.of(0x0b));
  const chunk = new Uint8Array(65_536).fill(0x41);
  let most = 0;
  let oversize = 0;
  for (let sent = 0; sent < 64 << 20; sent += chunk.length) {
    framer.push(chunk);
    const event = framer.next();
    if (event?.kind === 'oversize') {
      oversize += 1;
      t.equal(event.head.length, 65_536, 'the head is bounded');
    }
    most = Math.max(most, framer.heldBytes());
  }
  t.equal(oversize, 1);
  t.ok(most <= 1 << 20);
  t.equal(framer.heldBytes(), 0);
});

t.test('what is held of an unfinished frame is given back at once, not when memory is looked through', async (t) => {
  const [limit, chunk] = [8 << 20, new Uint8Array(65_536).fill(0x41)];
  const filled = () => {
    const framer = createFramer({ maxMessageBytes: limit, requireEnd: true });
    framer.push(Uint8Array.of(0x0b));
    for (let sent = 0; sent < limit; sent += chunk.length) {
      framer.push(chunk);
      framer.next();
    }
    return framer;
  };
  const after = (...chunks: Uint8Array[]) => {
    const framer = filled();
    const before = process.memoryUsage().arrayBuffers;
    for (const chunk of chunks) {
      framer.push(chunk);
      framer.next();
    }
    if (chunks.length === 0) framer.abandon();
    return before - process.memoryUsage().arrayBuffers;
  };
  t.ok(after() > limit / 2, 'the connection is gone');
  t.ok(after(chunk) > limit / 2, 'too long');
  t.ok(after(Uint8Array.of(0x0b)) > limit / 2, 'begun anew');
});

t.test('point 13: an empty frame is nothing', async (t) => {
  t.same(run([bytes(0x0b, 0x1c, 0x0d)]), []);
  t.same(run(oneByOne(bytes(0x0b, 0x1c, 0x0d))), []);
});

t.test('a frame has an ArrayBuffer of its own, untouched by later chunks', async (t) => {
  const chunk = bytes(0x0b, 'abc', 0x1c, 0x0d);
  const [event] = run([chunk]);
  chunk.fill(0);
  t.match(event, { kind: 'frame', bytes: bytes('abc') });
  if (event?.kind === 'frame') t.equal(event.bytes.buffer.byteLength, 3);
});

/** The framing said again, over the whole input at once. */
function model(whole: Uint8Array, requireEnd: boolean): { frames: string[]; garbage: number; restarts: number } {
  const result = { frames: [] as string[], garbage: 0, restarts: 0 };
  let open: number[] | undefined;
  for (let at = 0; at < whole.length; at++) {
    const byte = whole[at]!;
    const next = whole[at + 1];
    if (open === undefined) {
      if (byte === 0x0b) open = [];
      else result.garbage += 1;
    } else if (byte === 0x0b) {
      result.restarts += 1;
      open = [];
    } else if (byte === 0x1c && (next === 0x0d || (next === 0x0b && !requireEnd))) {
      if (open.length > 0) result.frames.push(text(Uint8Array.from(open)));
      open = undefined;
      if (next === 0x0d) at += 1;
    } else open.push(byte);
  }
  return result;
}

t.test('property: any chunking of any mix of frames and garbage gives the same frames', async (t) => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.array(fc.constantFrom(0x0b, 0x1c, 0x0d, 0x41), { maxLength: 12 }).map((list) => Uint8Array.from(list)),
    fc.uint8Array({ maxLength: 9000 }).map((payload) => frame(payload)),
  );
  const property = fc.property(
    fc.array(piece, { maxLength: 8 }),
    fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 30 }),
    fc.boolean(),
    (pieces, sizes, requireEnd) => {
      const whole = Buffer.concat(pieces);
      const expected = model(whole, requireEnd);
      const chunks: Uint8Array[] = [];
      for (let at = 0, turn = 0; at < whole.length; turn++) {
        const size = sizes[turn % sizes.length]!;
        chunks.push(whole.subarray(at, at + size));
        at += size;
      }
      for (const cut of [[whole], chunks, whole.length < 3000 ? oneByOne(whole) : [whole]]) {
        const events = run(cut, { maxMessageBytes: 1 << 20, requireEnd });
        const garbage = events.reduce((sum, event) => sum + (event.kind === 'garbage' ? event.count : 0), 0);
        const restarts = events.filter((event) => event.kind === 'restarted').length;
        if (JSON.stringify({ frames: frames(events), garbage, restarts }) !== JSON.stringify(expected)) return false;
      }
      return true;
    },
  );
  fc.assert(property, { numRuns: 300 });
  t.pass('held');
});
