import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeRandom } from '../../demo/people.ts';
import { table, tried } from '../../long/figures.ts';
import { quickFolder } from '../../quick-folder.ts';
import { chooseSeed } from '../seed.ts';
import { type History, makeHistory } from './history.ts';
import { type Damage, describe, type Outcome, tryDamage } from './trial.ts';

/**
 * Invariant 8 on a whole store: a bit, a tail or a sector of its files is damaged anywhere, and the real store opens it,
 * maps, renders, delivers and shows it. What was acknowledged is there or named by a code; no key goes out for other
 * content; what is set aside is set aside as it was.
 */
const proof = process.env.QIANZHI_PROOF === '1';
const trials = proof ? 2_000 : 150;
t.setTimeout(proof ? 1_800_000 : 600_000);

const targets = [
  { file: 'qianzhi.db', of: 'files' },
  { file: 'qianzhi.db-wal', of: 'files' },
  { file: 'qianzhi.db', of: 'closed' },
  { file: 'qianzhi.db-wal', of: 'files' },
  { file: 'high-water', of: 'files' },
  { file: 'key-copy', of: 'closed' },
] as const;

function draw(random: () => number, history: History, at: number): Damage {
  const target = targets[at % targets.length]!;
  const place = { ...target, at: Math.floor(random() * history[target.of][target.file].length) };
  const kind = random();
  if (kind < 0.7) return { ...place, kind: 'bit', bit: Math.floor(random() * 8) };
  if (kind < 0.9) return { ...place, kind: 'cut' };
  return { ...place, kind: 'zero', length: 512 };
}

/** The header is what random places seldom hit and one bit turns into another format, version or size. */
function headerBits(places: number[][]): Damage[] {
  return places.map(([at = 0, bit = 0]) => ({ file: 'qianzhi.db', of: 'closed', at, kind: 'bit', bit }));
}
const everyHeaderBit = Array.from({ length: 100 * 8 }, (_, i) => [i >> 3, i % 8]);
const header = headerBits(
  proof
    ? everyHeaderBit
    : [
        [18, 2],
        [47, 4],
        [60, 0],
      ],
);

t.test(`${trials} damages anywhere in database, WAL and side file: all there, or named`, async (t) => {
  const seed = chooseSeed();
  t.comment(`seed ${seed}`);
  const random = makeRandom(seed);
  const root = quickFolder('damage');
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'made'));
  const history = await makeHistory(join(root, 'made'));
  const rows = new Map<string, { outcomes: Outcome[] }>();
  const damages = [...header, ...Array.from({ length: trials }, (_, i) => draw(random, history, i))];
  for (const damage of damages) {
    const outcome = await tryDamage(join(root, 'copy'), join(root, 'made', 'data.key'), history, damage);
    if (outcome.wrong.length > 0) t.fail(`${describe(damage)}: ${outcome.wrong.slice(0, 5).join('; ')}`);
    const row = `${damage.file}${damage.of === 'closed' ? ' after a clean stop' : ''}, ${damage.kind}`;
    const seen = rows.get(row) ?? { outcomes: [] };
    seen.outcomes.push(outcome);
    rows.set(row, seen);
  }
  const cells = [...rows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([row, { outcomes }]): [string, string] => {
      const codes = new Map<string, number>();
      for (const { named } of outcomes) {
        const code = named.join(' ') || 'nothing lost';
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }
      const ended = outcomes.filter((o) => o.ended.length > 0).length;
      const all = [...codes].map(([code, n]) => `${code} ${n}`).join(' · ');
      return [row, ended > 0 ? `${all} (${ended} of them after a restart)` : all];
    });
  t.comment(table(`${damages.length} damages, seed ${seed}, ${history.acked.size} messages acknowledged`, cells));
  const wrong = [...rows.values()].flatMap((r) => r.outcomes).filter((o) => o.wrong.length > 0).length;
  t.comment(tried('bit flipped, tail cut or sector zeroed; lost without a word', `${damages.length} damages`, wrong));
  t.equal(wrong, 0, 'nothing acknowledged is silently gone, no key has other content, nothing hangs');
});
