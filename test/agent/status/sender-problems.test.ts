import t from 'tap';
import type { SenderStatus } from '../../../agent/intake/source.ts';
import { collectProblems } from '../../../agent/status/problems.ts';
import { healthyParts, night } from './fixture.ts';

const hour = 3_600_000;
const address = '10.1.2.7';
const idle: SenderStatus = { address, connections: 1, messagesToday: 0 };
const at = (code: string): SenderStatus => ({ ...idle, problem: { code, atMs: night - 2 * hour, count: 1 } });
const heard = (from: string, agoMs: number): SenderStatus => ({
  ...idle,
  address: from,
  messagesToday: 1,
  lastMessageMs: night - agoMs,
});

/** Codes that are shown of one port, of whose senders two have names of their own. */
function shown(port: SenderStatus, bc6800: SenderStatus[], bs2000: SenderStatus[] = []): string[] {
  const parts = healthyParts();
  const sources = parts.sources.map((source) => ({
    ...source,
    senders: [port],
    under: [
      { name: 'bc6800', senders: bc6800 },
      { name: 'bs2000', senders: bs2000 },
    ],
  }));
  return collectProblems({ ...parts, sources }, undefined).flatMap((p) => (p.station === 'hospital' ? [p.code] : []));
}

t.test('a connection problem is mended by good messages over it, whatever name they came under', async (t) => {
  t.same(shown(at('MLLP-2005'), []), ['MLLP-2005']);
  t.same(shown(at('MLLP-2005'), [], [heard(address, hour)]), [], 'a message an hour after it');
  t.same(shown(at('MLLP-2005'), [heard(address, 3 * hour)]), ['MLLP-2005'], 'one before it');
  t.same(shown(at('MLLP-2005'), [heard('10.1.2.8', hour)]), ['MLLP-2005'], 'one of another address');
});

t.test('what could not be told to be anybody’s, or is a name’s own, is not mended by another name', async (t) => {
  for (const code of ['HL7-2121', 'HL7-2123']) t.same(shown(at(code), [heard(address, hour)]), [code]);
  t.same(shown(heard(address, hour), [at('HL7-2104')], [heard(address, hour)]), ['HL7-2104']);
  t.same(shown(idle, [{ ...at('HL7-2104'), lastMessageMs: night - hour }]), [], 'its own does');
});
