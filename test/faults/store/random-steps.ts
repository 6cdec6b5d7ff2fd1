import { makeRandom } from '../../demo/people.ts';
import { type Step, type StepName, StoreWalk } from './walk.ts';

/** How often each step is taken, in relation. */
const weights: Record<StepName, number> = {
  accept: 14,
  map: 16,
  mapAgain: 5,
  due: 6,
  render: 15,
  renderAgain: 7,
  claim: 14,
  settle: 14,
  odd: 3,
  tick: 5,
  reopen: 1,
  crash: 2,
  join: 0.4,
  remember: 0.8,
  loseTail: 0.5,
};
/** A store of its own for so many: longer ones find nothing that these do not, and cost more a step. */
const EPISODE = 300;
/** Longest search for a shorter way to the same failure. */
const SHRINK_MS = 30_000;

function stepsOf(seed: number, count: number): Step[] {
  const random = makeRandom(seed);
  const names = Object.keys(weights) as StepName[];
  const total = names.reduce((sum, name) => sum + weights[name], 0);
  return Array.from({ length: count }, (): Step => {
    let at = random() * total;
    const name = names.find((n) => {
      at -= weights[n];
      return at < 0;
    });
    return [name ?? 'accept', Math.floor(random() * 2 ** 31), Math.floor(random() * 1000)];
  });
}

/** Takes the steps in a store of its own. @returns what broke and how many steps it took. */
function take(steps: readonly Step[]): { after: number; error: unknown } | undefined {
  const walk = new StoreWalk();
  try {
    for (const [i, step] of steps.entries()) {
      try {
        walk.step(step);
      } catch (error) {
        return { after: i + 1, error };
      }
    }
    return undefined;
  } finally {
    walk.end();
  }
}

/** Takes out what is not needed for a failure, the larger pieces first. */
function shrink(steps: readonly Step[], deadline: number): Step[] {
  let shortest = [...steps];
  for (let size = shortest.length >> 1, before = Infinity; size >= 1 || shortest.length < before; size >>= 1) {
    if (size === 0) size = 1;
    if (size === 1) before = shortest.length;
    for (let at = 0; at < shortest.length && performance.now() < deadline; ) {
      const shorter = [...shortest.slice(0, at), ...shortest.slice(at + size)];
      const failure = take(shorter);
      if (failure) shortest = shorter.slice(0, failure.after);
      else at += size;
    }
  }
  return shortest;
}

const written = (steps: readonly Step[]): string => steps.map((step) => step.join(' ')).join('; ');
const read = (text: string): Step[] =>
  text.split(';').map((step): Step => {
    const [name = 'accept', a, b] = step.trim().split(' ');
    return [name as StepName, Number(a), Number(b)];
  });

/**
 * Walks `count` random steps, in episodes. Throws with the seed and the shortest list of steps that was found
 * to fail; QIANZHI_STEPS='<that list>' takes just these, QIANZHI_SEED another walk.
 * @returns how many steps of each kind were taken.
 */
export function walkStore(count: number, seed = Number(process.env.QIANZHI_SEED ?? 1)): Map<StepName, number> {
  const taken = new Map<StepName, number>();
  const given = process.env.QIANZHI_STEPS;
  for (let done = 0, episode = 0; done < count; done += EPISODE, episode++) {
    const steps = given ? read(given) : stepsOf(seed * 1_000_003 + episode, Math.min(EPISODE, count - done));
    const failure = take(steps);
    for (const [name] of steps) taken.set(name, (taken.get(name) ?? 0) + 1);
    if (given && !failure) break;
    if (!failure) continue;
    const shortest = shrink(steps.slice(0, failure.after), performance.now() + SHRINK_MS);
    const cause = take(shortest)?.error ?? failure.error;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `seed ${seed}, episode ${episode}, step ${failure.after}; ${shortest.length} steps are enough:\n${message}\n` +
        `QIANZHI_STEPS='${written(shortest)}'`,
      { cause },
    );
  }
  return taken;
}
