import t from 'tap';
import { makeRandom, pick, type Random } from '../demo/people.ts';
import { chooseSeed } from '../faults/seed.ts';
import { tried } from '../long/figures.ts';
import { deleted, hl7Time, type Message, type Person, person, type ReportMessage, report } from './messages.ts';
import { merges, registers } from './registrations.ts';
import { exam } from './results.ts';
import { type ProfileChange, playScene, type Scene, type Shown } from './scene.ts';

const proof = process.env.QIANZHI_PROOF === '1';
const days = proof ? 2_000 : 40;
const seed = chooseSeed();
t.setTimeout(proof ? 3_600_000 : 240_000);

/** Two humans; the first was registered three times. */
const zhang = person('P0001', '张晋');
const zhangs = [zhang, { ...zhang, number: 'P0002' }, { ...zhang, number: 'P0003' }];
const li = person('P0009', '李珅');

/** What one source sends in a day, in its order, and what of it is true in the end. */
interface Stream {
  source: string;
  messages: Message[];
  truth: Shown;
}

/** Times of the day, each once: `at()` gives the next or, for what arrives out of order, any that is left. */
function clockOf(random: Random) {
  const left = Array.from({ length: 200 }, (_, n) => `0${5 + Math.floor(n / 60)}:${String(n % 60).padStart(2, '0')}`);
  return { next: () => left.shift()!, any: () => left.splice(Math.floor(random() * 60), 1)[0]! };
}

/** Registrations and merges: one number after the other becomes the first’s, directly or by way of another. */
function registrations(random: Random, merged: boolean): Stream {
  const clock = clockOf(random);
  const messages: Message[] = [...zhangs, li].map((who) => registers(who).sentAt(clock.next()));
  if (merged) {
    const [first, second, third] = zhangs as [Person, Person, Person];
    const ways = [
      [merges(first, second), merges(first, third)],
      [merges(second, third), merges(first, second)],
      [merges(first, second), merges(second, third)],
      [merges(first, second, third)],
    ];
    messages.push(...pick(random, ways).map((merge) => merge.sentAt(clock.next())));
  }
  return { source: 'his', messages, truth: {} };
}

/** Whole reports: the one with the latest report time is true, whenever it comes. */
function wholeReports(random: Random, source: 'lis' | 'ris', merged: boolean): Stream {
  const stream: Stream = { source, messages: [], truth: {} };
  for (const number of ['R1', 'R2', 'R3'].slice(0, 1 + Math.floor(random() * 3))) {
    const clock = clockOf(random);
    const moves = random() < 0.2;
    let who = pick(random, [...zhangs, li]);
    let latest = '';
    for (let n = 1 + Math.floor(random() * 4); n > 0; n--) {
      if (moves) who = pick(random, [...zhangs, li]);
      const at = clock.any();
      const base = (source === 'lis' ? report(number) : exam(number)).of(who).at(at).sentAt(at);
      const value = `${1 + Math.floor(random() * 9)}.${Math.floor(random() * 10)}`;
      const items = source === 'lis' ? [`K ${value}`, 'Na 140'] : [`检查所见 结节${value}mm`, `诊断意见 随访${value}`];
      // Whose report a withdrawal under another patient means is open: such a one is held, and no order helps it.
      const kind = pick(random, moves ? ['final'] : ['final', 'final', 'interim', 'withdrawn']);
      const told = tell(base, kind, items);
      stream.messages.push(random() < 0.3 && source === 'lis' ? told.withoutDemographics() : told);
      if (kind === 'interim' || hl7Time(at) < latest) continue;
      latest = hl7Time(at);
      const name = source === 'lis' ? number : `${number}@${source}`;
      if (kind === 'withdrawn') delete stream.truth[name];
      else {
        const survivor = merged && zhangs.includes(who) ? zhang : who;
        stream.truth[name] = [
          survivor,
          ...items.map((item) => item.replace('检查所见', '所见').replace('诊断意见', '提示')),
        ];
      }
    }
  }
  return stream;
}

function tell(base: ReportMessage, kind: string, items: string[]): ReportMessage {
  if (kind === 'interim') return base.interim(...items);
  return kind === 'withdrawn' ? base.withdrawn(...items) : base.final(...items);
}

/** Reports told change by change: each item is what was said of it last, in whatever order the changes come. */
function changes(random: Random, merged: boolean): Stream {
  const stream: Stream = { source: 'lis', messages: [], truth: {} };
  for (const number of ['R1', 'R2']) {
    const clock = clockOf(random);
    const who = pick(random, [...zhangs, li]);
    const told: Array<{ at: string; code: string; value?: string }> = [];
    for (let n = 1 + Math.floor(random() * 6); n > 0; n--) {
      const at = clock.any();
      // One item is told at once and never deleted: an emptied report is withdrawn, and that is another story.
      const named = ['K', 'Na', ...(told.length === 0 ? ['Cl'] : [])].filter((code) => code === 'Cl' || random() < 0.6);
      if (named.length === 0) named.push('K');
      const said = named.map((code) => {
        if (code !== 'Cl' && random() < 0.25) {
          told.push({ at, code });
          return deleted(code);
        }
        const value = String(1 + Math.floor(random() * 99));
        told.push({ at, code, value });
        return `${code} ${value}`;
      });
      stream.messages.push(
        report(number)
          .of(who)
          .at(at)
          .sentAt(at)
          .final(...said),
      );
    }
    const items = new Map<string, string>();
    for (const { code, value } of told.sort((a, b) => (a.at < b.at ? -1 : 1))) {
      if (value === undefined) items.delete(code);
      else items.set(code, value);
    }
    const survivor = merged && zhangs.includes(who) ? zhang : who;
    stream.truth[number] = [survivor, ...[...items].map(([code, value]) => `${code} ${value}`)];
  }
  return stream;
}

/** Some messages once more, at any later place of their stream: byte for byte, or under a new control id. */
function repeated(random: Random, { source, messages }: Stream): Message[] {
  const all = messages.map((message, n): Message => ({ ...message, controlId: `${source}-${n}` }));
  for (const [n, message] of all.slice().entries()) {
    if (random() > 0.35) continue;
    const again = random() < 0.5 ? message : { ...message, controlId: `${source}-${n}-again` };
    const first = all.indexOf(message);
    all.splice(first + 1 + Math.floor(random() * (all.length - first)), 0, again);
  }
  return all;
}

/** Several streams as one, each in its own order. */
function interleaved(random: Random, streams: Array<{ source: string; messages: Message[] }>) {
  const left = streams.map(({ source, messages }) => ({ source, messages: [...messages] }));
  const all: Array<{ source: string; message: Message }> = [];
  for (;;) {
    const open = left.filter(({ messages }) => messages.length > 0);
    if (open.length === 0) return all;
    const { source, messages } = pick(random, open);
    all.push({ source, message: messages.shift()! });
  }
}

async function playDay(random: Random, streams: Stream[], profiles: Record<string, ProfileChange>): Promise<number> {
  const told = streams.map((stream) => ({ source: stream.source, messages: repeated(random, stream) }));
  const day = interleaved(random, told);
  const truth = Object.assign({}, ...streams.map((stream) => stream.truth)) as Shown;
  const play = async (s: Scene) => {
    for (const { source, message } of day) {
      if (random() < 0.1) await s.line.goes(pick(random, ['down', 'silent', 'unreachable', 'loses-answers']));
      if (random() < 0.1) await s.line.comesBack();
      await s.from(source, message);
    }
    await s.line.comesBack();
    await s.shows(truth, 'in any order');
    // Interim results without a final wait for ever, and they may.
    await s.waitsSomehow();
  };
  const chance = makeRandom(Math.floor(random() * 1e9));
  const form = pick(random, [{}, { atOnce: true }, { chance }, { killedAt: () => chance() < 0.1 }]);
  await playScene(play, { profiles }, form);
  return day.length;
}

const parks = { lis: { 'patient.park_minutes': 1_000 } };

t.test('any repetition and any interleaving of sources ends with the same current documents', async (t) => {
  t.comment(`seed ${seed}`);
  let messages = 0;
  for (let n = 0; n < days; n++) {
    const random = makeRandom(seed * 10_007 + n);
    const merged = random() < 0.7;
    const whole = random() < 0.6;
    const streams = [
      registrations(random, merged),
      whole ? wholeReports(random, 'lis', merged) : changes(random, merged),
      wholeReports(random, 'ris', merged),
    ];
    const profiles = whole ? parks : { lis: { corrections: 'delta' } };
    try {
      messages += await playDay(random, streams, profiles);
    } catch (error) {
      (error as Error).message = `day ${n} of seed ${seed}: ${(error as Error).message}`;
      throw error;
    }
  }
  t.comment(tried('days of messages, repeated and interleaved at will', `${days} days, ${messages} messages`, 0));
});
