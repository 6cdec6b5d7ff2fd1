import t from 'tap';
import { longestMs, longestStep } from './longest-step.ts';
import { longestInput } from './mutations.ts';
import { ownMessages } from './own-messages.ts';

/** Inputs that the fuzz, and looking where it pointed, found: each held the thread for longer than it may, or failed. */
const header = (type: string, sentAt = '20240520102600'): string => `MSH|^~\\&|LIS|H|E|R|${sentAt}||${type}|M1|P|2.4\r`;
const report = `OBR|1${'|'.repeat(19)}R1\r`;

/** Fills up to 64 KB with one piece. */
const filledUp = (beginning: string, piece: string): string =>
  beginning + piece.repeat(Math.floor((longestInput - beginning.length) / piece.length));

/** Very many kinds of segment: ZAA, ZAB … */
function zSegments(): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
  return [...letters].flatMap((a) => [...letters].map((b) => `Z${a}${b}|\r`)).join('');
}

const found: Record<string, string> = {
  'very many kinds of segment before very many patients (took 23 s)': filledUp(
    header('ADT^A08') + zSegments(),
    'PID|\r',
  ),
  'very many kinds of segment before very many orders with results (7 s)': filledUp(
    `${header('ORU^R01')}PID|1|P1\r${zSegments()}`,
    'OBR|\r',
  ),
  'very many kinds of segment before very many orders (8 s)': filledUp(
    `${header('ORM^O01')}PID|1|P1\r${zSegments()}`,
    'ORC|\r',
  ),
  'very many patients in a message sent from another zone (0.6 s)': filledUp(
    header('ORU^R01', '20230501102531-0400'),
    'PID|1\r',
  ),
  'very many patients of a merge': filledUp(header('ADT^A40'), 'PID|1\rMRG|1\r'),
  'very many times of as many hours in another zone': Array.from(
    { length: 1_700 },
    (_, i) => `OBX|1|NM|K||1||||||F|||20${String(10 + (i % 80))}0${1 + (i % 9)}${String(10 + (i % 19))}0102+01\r`,
  ).reduce(
    (text, line) => (text.length + line.length > longestInput ? text : text + line),
    `${header('ORU^R01')}PID|1|P1\r${report}`,
  ),
  'hexadecimal escapes without end (0.15 s)': filledUp(
    `${header('ORU^R01')}PID|1|P1\r${report}OBX|1|TX|K||`,
    '\\Xff\\ ',
  ),
  'escapes without end in the type of an identifier, which each path to one asks for (0.15 s)': filledUp(
    `${header('ADT^A08')}PID|1||1234^^^^`,
    '\\XD6D0\\??',
  ),
  'blank lines without end from short escapes there (0.13 s)': filledUp(
    `${header('ADT^A08')}PID|1||1234^^^^`,
    '\\.sp99\\',
  ),
  'headers without anything behind them': filledUp('', 'MSH|^\r'),
};

t.test('point 52: what was found to hold the thread no longer does', (t) => {
  for (let round = 0; round < 20; round++)
    for (const message of ownMessages) longestStep({ payload: message, chunks: [] });
  for (const [name, text] of Object.entries(found)) {
    const payload = Buffer.from(text, 'latin1');
    t.ok(payload.length <= longestInput && payload.length > longestInput - 100, `${name}: ${payload.length} bytes`);
    const ms = longestStep({ payload, chunks: [] });
    t.ok(ms <= longestMs, `${name}: ${ms.toFixed(0)} ms`);
  }
  t.end();
});
