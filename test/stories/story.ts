import assert from 'node:assert/strict';
import t from 'tap';
import { makeRandom } from '../demo/people.ts';
import { chooseSeed } from '../faults/seed.ts';
import { tried } from '../long/figures.ts';
import { type Ending, type Form, type Place, playScene, type Scene, type StorySettings } from './scene.ts';

const proof = process.env.QIANZHI_PROOF === '1';
/** `npm test` plays each story plainly. */
const plainly = process.env.QIANZHI_TIER === 'fast';
const seed = chooseSeed();
const random = makeRandom(seed);
/** Undefined: the forms of the gate. */
let killsOf: number | undefined;
/** Share of the stories that are played. */
let share = 1;

const totals = { stories: 0, plays: 0, kills: 0 };
t.setTimeout(proof ? 3_600_000 : 600_000);
t.teardown(() => {
  const { stories, plays, kills } = totals;
  t.comment(`seed ${seed}: ${stories} stories, ${plays} plays, ${kills} kills`);
});

/** From here on each story, or a share of them, is killed at single places: at so many, drawn by chance, or at every one. */
export function killOnce(places: number, of = 1): void {
  killsOf = places;
  share = of;
  t.teardown(() => t.comment(tried('stories killed at one place, then played on', `${totals.kills} kills`, 0)));
}

/**
 * One story: messages in, documents out. Played plainly; with all messages taken in before anything else happens, or
 * with the stages taking turns by chance; with the agent killed between any two steps. All must end with the same
 * current documents, byte for byte. every-kill.long.test.ts plays all of them again, killed once each time.
 */
export function story(name: string, play: (s: Scene) => Promise<void>, settings: StorySettings = {}): void {
  if (share < 1 && random() >= share) return;
  t.test(name, async (t) => {
    totals.stories += 1;
    const run = async (as: string, form: Form, like?: Ending): Promise<Ending> => {
      totals.plays += 1;
      try {
        const ending = await playScene(play, settings, form);
        totals.kills += ending.kills;
        if (like) assert.deepEqual(ending.documents, like.documents, 'the same current documents');
        return ending;
      } catch (error) {
        (error as Error).message = `${as}: ${(error as Error).message}`;
        throw error;
      }
    };
    const plain = await run('played plainly', {});
    if (!plainly && (killsOf === undefined || proof)) {
      // In the gate one of the two, story by story; in the proof both.
      const chance = makeRandom(Math.floor(random() * 1e9));
      if (proof || totals.stories % 2 === 0) await run('played at once', { atOnce: true }, plain);
      if (proof || totals.stories % 2 === 1) await run('played by chance', { chance }, plain);
    }
    if (killsOf === undefined && !plainly) await run('killed everywhere', { killedAt: everywhere() }, plain);
    for (const at of placesOf(plain.places)) {
      await run(`killed at ${at} of ${plain.places}`, { killedAt: (n) => n === at }, plain);
    }
    t.pass(`${plain.places} places to be killed at`);
  });
}

/** Everywhere, but each delivery comes through in the end: killed once with it claimed, once with it sent. */
function everywhere(): NonNullable<Form['killedAt']> {
  const before = new Set<Place>();
  return (_n, place) => {
    if (place !== 'claimed' && place !== 'sent') before.clear();
    else if (before.has(place)) return false;
    else before.add(place);
    return true;
  };
}

function placesOf(places: number): number[] {
  const every = Array.from({ length: places }, (_, n) => n + 1);
  return every.sort(() => random() - 0.5).slice(0, killsOf ?? 0);
}
