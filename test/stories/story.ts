import assert from 'node:assert/strict';
import t from 'tap';
import { makeRandom } from '../demo/people.ts';
import { chooseSeed } from '../faults/seed.ts';
import { type Ending, type Form, type Place, playScene, type Scene, type StorySettings } from './scene.ts';

const proof = process.env.QIANZHI_PROOF === '1';
/** Single crashes played of each story in the gate; the proof plays one at every place. */
const singleCrashes = 3;
const seed = chooseSeed();
const random = makeRandom(seed);

const totals = { stories: 0, plays: 0, crashes: 0 };
t.setTimeout(proof ? 3_600_000 : 240_000);
t.teardown(() =>
  t.comment(`seed ${seed}: ${totals.stories} stories, ${totals.plays} plays, ${totals.crashes} crashes`),
);

export interface StoryRules extends StorySettings {
  /** The story lives of when the stages run: not played with all messages taken in at once. */
  notAtOnce?: true;
}

/**
 * One story: messages in, documents out. Played plainly; with all messages taken in before anything else happens; with
 * the stages taking turns by chance; with the agent killed at every place between two steps; and killed once, at single places. All must end with the same
 * current documents, byte for byte.
 */
export function story(name: string, play: (s: Scene) => Promise<void>, rules: StoryRules = {}): void {
  t.test(name, async (t) => {
    totals.stories += 1;
    const run = async (as: string, form: Form, like?: Ending): Promise<Ending> => {
      totals.plays += 1;
      try {
        const ending = await playScene(play, rules, form);
        if (like) assert.deepEqual(ending.documents, like.documents, 'the same current documents');
        return ending;
      } catch (error) {
        (error as Error).message = `${as}: ${(error as Error).message}`;
        throw error;
      }
    };
    const plain = await run('played plainly', {});
    if (!rules.notAtOnce) await run('played at once', { atOnce: true }, plain);
    await run('played by chance', { chance: makeRandom(Math.floor(random() * 1e9)) }, plain);
    await run('killed everywhere', { crashesAt: everywhere() }, plain);
    totals.crashes += plain.cuts;
    for (const place of placesOf(plain.cuts)) {
      await run(`killed at ${place} of ${plain.cuts}`, { crashesAt: (cut) => cut === place }, plain);
      totals.crashes += 1;
    }
    t.pass(`${plain.cuts} places to be killed at`);
  });
}

/** Everywhere, but each delivery comes through in the end: killed once with it claimed, once with it sent. */
function everywhere(): NonNullable<Form['crashesAt']> {
  const tried = new Set<Place>();
  return (_cut, place) => {
    if (place !== 'claimed' && place !== 'sent') tried.clear();
    else if (tried.has(place)) return false;
    else tried.add(place);
    return true;
  };
}

function placesOf(cuts: number): number[] {
  const every = Array.from({ length: cuts }, (_, at) => at + 1);
  if (proof) return every;
  return every.sort(() => random() - 0.5).slice(0, singleCrashes);
}
