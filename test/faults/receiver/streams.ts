import type { Random } from '../../demo/people.ts';
import { framed, type Receiver } from './rig.ts';

/** What a connection sends and what must be answered, drawn at random. */
function drawStream(random: Random, receiver: Receiver, items: number): { bytes: Buffer; wanted: string[] } {
  const parts: Buffer[] = [];
  const wanted: string[] = [];
  const below = (most: number) => Math.floor(random() * most);
  const noise = (most: number, not: readonly number[]) =>
    Buffer.from(Array.from({ length: below(most) }, () => below(256)).filter((byte) => !not.includes(byte)));
  const good = () => {
    // Any bytes but 0x0B and 0x1C 0x0D; segments end in 0x0D, so 0x0D is left out of the noise.
    const message = receiver.message(Buffer.concat([Buffer.from('NTE|1||'), noise(400, [0x0b, 0x0d])]));
    wanted.push(`AA:${message.id}`);
    return framed(message);
  };
  for (let n = 0; n < items; n++) {
    const kind = below(8);
    if (kind === 0) parts.push(noise(60, [0x0b]));
    else if (kind === 1) parts.push(framed(''));
    else if (kind === 2) {
      parts.push(framed(Buffer.concat([Buffer.from('!'), noise(90, [0x0b, 0x0d])])));
      wanted.push('AE:');
    } else if (kind === 3) {
      const torn = framed(receiver.message());
      // At most to just before its last byte: it never ends.
      parts.push(torn.subarray(0, 1 + below(torn.length - 1)), good());
    } else parts.push(good());
  }
  return { bytes: Buffer.concat(parts), wanted };
}

/**
 * Sends random streams in random pieces, eight connections at a time: good messages with any bytes in them,
 * garbage, empty and unreadable frames, and messages that break off where the next begins. Gives how many
 * good ones there were and the streams whose answers were not exactly the right ones in order.
 */
export async function playStreams(
  receiver: Receiver,
  random: Random,
  size: { streams: number; items: number },
): Promise<{ messages: number; wrong: string[] }> {
  const result = { messages: 0, wrong: [] as string[] };
  const play = async (n: number) => {
    const { bytes, wanted } = drawStream(random, receiver, size.items);
    result.messages += wanted.filter((answer) => answer !== 'AE:').length;
    const sender = await receiver.connect();
    for (let at = 0; at < bytes.length; ) {
      // Mostly small pieces; sometimes many messages in one.
      const length = random() < 0.7 ? 1 + Math.floor(random() * 90) : 1 + Math.floor(random() * 4000);
      sender.send(bytes.subarray(at, at + length));
      at += length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    sender.socket.end();
    await sender.closed;
    // After the end of the connection: no answer too few, none too many.
    const answers = await sender.acks(Number.POSITIVE_INFINITY);
    if (answers.join() !== wanted.join()) result.wrong.push(`stream ${n}: ${answers} instead of ${wanted}`);
  };
  for (let n = 0; n < size.streams; n += 8) {
    await Promise.all(Array.from({ length: Math.min(8, size.streams - n) }, (_, i) => play(n + i)));
  }
  return result;
}
