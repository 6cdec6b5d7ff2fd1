import assert from 'node:assert/strict';
import { parseDocument } from 'yaml';
import { compileProfile } from '../../adapters/hl7v2/profile/check.ts';
import { keyAt } from '../../agent/clinical/institutions.ts';
import type { MessageReader } from '../../agent/mapping/mapper.ts';
import type { PlatformFilters } from '../../agent/rendering/render.ts';
import type { Verdict } from '../../agent/store/contract.ts';
import { readAsset } from '../../agent/support/assets.ts';
import { localTime } from '../demo/messages.ts';
import { pick } from '../demo/people.ts';
import { sha256 } from '../platform/items.ts';
import { type Machine, setIdOf, site, startMachine } from './machine.ts';
import { hl7Time, type Message, type Person } from './messages.ts';
import { type Current, type Mode, openProvince, tryAgain } from './province.ts';

const defaultProfile = readAsset('config/dialects/cn-default.yaml');

/** Values of the source profile by their place: `{ corrections: 'delta', 'tables.report_status.B': 'publish' }`. */
export type ProfileChange = Record<string, string | number | boolean>;

/** How a story is played; all forms must end alike. */
export interface Form {
  /** Messages are taken in and nothing else happens until the line, the rules or the clock change, or the story ends. */
  atOnce?: boolean;
  /** The stages take turns by chance while messages and the line come and go, as in threads of their own. */
  chance?: () => number;
  /** Whether the agent is killed at this place of the story, the `n`th one. */
  killedAt?(n: number, place: Place): boolean;
}

/** Between two steps of the agent, after the one named. */
export type Place = 'idle' | 'stored' | 'mapped' | 'rendered' | 'claimed' | 'sent' | 'settled' | 'changed';

/** What is configured for a story. */
export interface StorySettings {
  /** Changes of the default profile by source. */
  profiles?: Record<string, ProfileChange>;
  /** What the province wants. */
  filters?: PlatformFilters;
}

/**
 * A report number to whom it belongs and what it says: `{ R1: [zhang, 'K 4.1'] }`; `R1@ris` of another source than lis,
 * `R1@1210…` of another institution.
 */
export type Shown = Record<string, [who: Person, ...values: string[]]>;

export interface Scene {
  /** The laboratory, the hospital's patient registration, the imaging department send messages, a minute between them. */
  lis(...messages: Message[]): Promise<void>;
  his(...messages: Message[]): Promise<void>;
  ris(...messages: Message[]): Promise<void>;
  /** Another source of the story. */
  from(source: string, ...messages: Message[]): Promise<void>;
  /** The last message of the source once more, byte for byte. */
  repeats(source: string): Promise<void>;
  /** `20 min`, `3 h`, `2 d`. */
  passes(time: string): Promise<void>;
  /** The hospital's IT amends the source's profile. */
  learns(source: string, change: ProfileChange): Promise<void>;
  line: {
    goes(mode: Mode): Promise<void>;
    comesBack(): Promise<void>;
  };
  /** The province refuses a report, wants its encounter first, or says `not now`, until it does no more. */
  refuses(report: string, code: string): void;
  wantsParentOf(report: string): void;
  putsOff(report: string): void;
  wantsNothing(): Promise<void>;
  /** All documents that are current at the province. A story ends with it. */
  shows(expected: Shown, order?: 'in any order'): Promise<void>;
  /** The document of a report says it (or does not). */
  reads(report: string, pattern: RegExp, not?: 'not'): Promise<void>;
  /** Codes of all messages a person has to look at; of all that wait (`unsent`: no code, on its way). None when not said. */
  holds(...codes: string[]): Promise<void>;
  waits(...codes: string[]): Promise<void>;
  /** Whatever waits in the end may. */
  waitsSomehow(): Promise<void>;
  /** Everything the province accepted since the story began: `publish R1 v1`. Not compared after a crash. */
  trail(...operations: string[]): Promise<void>;
}

export interface Ending {
  /** Places it could have been killed at. */
  places: number;
  /** How often it was. */
  kills: number;
  documents: string[];
}

const compiled = new Map<string, MessageReader>();
function readerOf(change: ProfileChange): MessageReader {
  const key = JSON.stringify(change);
  let reader = compiled.get(key);
  if (reader === undefined) {
    const yaml = parseDocument(defaultProfile);
    for (const [place, value] of Object.entries(change)) yaml.setIn(place.split('.'), value);
    reader = compileProfile(yaml.toString({ lineWidth: 0 }));
    compiled.set(key, reader);
  }
  return reader;
}

const stages = ['map', 'mapDue', 'render', 'deliver'] as const;
type Stage = (typeof stages)[number];

const minute = 60_000;
const units: Record<string, number> = { min: minute, h: 60 * minute, d: 24 * 60 * minute };

/** Plays a story in one form. Rejects with what was not as expected. */
export async function playScene(
  play: (s: Scene) => Promise<void>,
  { profiles = {}, filters = {} }: StorySettings,
  form: Form,
): Promise<Ending> {
  /** Noon of the day of the stories, Asia/Shanghai. */
  let now = Date.UTC(2026, 2, 5, 4);
  const changes = new Map<string, ProfileChange>(Object.entries(profiles));
  const editions = new Map<string, number>();
  const province = openProvince();
  const around = {
    clock: { now: () => now, monotonic: () => 0 },
    sources: [...new Set(['lis', 'his', 'ris', ...changes.keys()])],
    readerOf: (source: string) => readerOf(changes.get(source) ?? {}),
    filters,
    editionOf: (source: string) => editions.get(source) ?? 1,
  };
  let machine: Machine = await startMachine(around);
  let places = 0;
  let kills = 0;
  let messages = 0;
  /** Given to the province and not answered yet; forgotten by a crash. */
  let inFlight: Verdict[] = [];
  const last = new Map<string, { text: string; controlId: string }>();
  const expected: { shows?: () => void; holds: string[]; waits: string[] | undefined } = { holds: [], waits: [] };

  /** A place where the process may end. @returns whether it did, and what was in memory is gone. */
  async function cut(place: Place): Promise<boolean> {
    places += 1;
    if (!form.killedAt?.(places, place)) return false;
    kills += 1;
    machine = await machine.crash();
    inFlight = [];
    return true;
  }

  async function deliver(): Promise<boolean> {
    if (province.mode === 'down') return false;
    const claimed = await machine.claim();
    if (claimed.length === 0) return false;
    assert.ok(!claimed.some(({ isWithdrawn }) => isWithdrawn), 'what was withdrawn must not leave');
    if (await cut('claimed')) return true;
    const verdicts = claimed.map((claim): Verdict => {
      if (province.mode === 'unreachable') return tryAgain(claim.n, now);
      const verdict = province.judge(claim, now);
      return province.mode === 'loses-answers' ? tryAgain(claim.n, now) : verdict;
    });
    if (await cut('sent')) return true;
    if (province.mode === 'silent') inFlight.push(...verdicts);
    else {
      await machine.settle(verdicts);
      await cut('settled');
    }
    return true;
  }

  async function turn(stage: Stage): Promise<boolean> {
    if (stage === 'deliver') return deliver();
    if ((await machine[stage]()) === 0) return false;
    await cut(stage === 'render' ? 'rendered' : 'mapped');
    return true;
  }

  /** Until nothing is left to do. */
  async function work(): Promise<void> {
    for (let turns = 0; ; turns++) {
      if (turns > 1000) throw new Error('the stages never come to rest');
      let worked = false;
      for (const stage of stages) worked = (await turn(stage)) || worked;
      if (!worked) break;
    }
    assert.deepEqual(province.broken, [], 'the province was sent what breaks its order');
  }

  /** As much as is done before the next thing happens. */
  async function workAwhile(): Promise<void> {
    if (form.atOnce) return;
    if (!form.chance) return work();
    for (let turns = Math.floor(form.chance() * 5); turns > 0; turns--) await turn(pick(form.chance, stages));
  }

  /** Before the line changes; what waits in the inbox then waits for the line as well. */
  const beforeChange = () => (form.chance ? workAwhile() : work());

  async function take(source: string, text: string, controlId: string): Promise<void> {
    await cut('idle');
    const { outcome } = await machine.accept(source, text, controlId);
    // The acknowledgement was lost with the process: the sender sends again, and is told that it was stored.
    if (await cut('stored'))
      assert.equal((await machine.accept(source, text, controlId)).outcome, 'retransmission', outcome);
    await workAwhile();
  }

  async function from(source: string, ...said: Message[]): Promise<void> {
    for (const message of said) {
      now += minute;
      messages += 1;
      const controlId = message.controlId ?? `C${messages}`;
      const sent = message.sent === undefined ? localTime(now) : hl7Time(message.sent);
      const text = message.write({ application: source.toUpperCase(), controlId, sent });
      last.set(source, { text, controlId });
      await take(source, text, controlId);
    }
  }

  /** `R1`, or `R1@ris` when it is another source's than the laboratory's; another institution's code comes last. */
  function nameOf({ report, setId }: Current): string {
    for (const institution of [undefined, ...site.institutions.map(({ orgCode }) => orgCode)]) {
      const source = around.sources.find((one) => setIdOf(keyAt(institution, `${one}|${report}`)) === setId);
      if (source === undefined) continue;
      const places = [...(source === 'lis' ? [] : [source]), ...(institution === undefined ? [] : [institution])];
      return [report, ...places].join('@');
    }
    throw new Error(`a document of no source: ${report}`);
  }
  const who = ({ number, institution, name, residentId: id }: Person) => ({
    lane: machine.laneOf(keyAt(institution, number)),
    name,
    id,
  });
  function checkShown(shown: Shown, order?: 'in any order'): void {
    const told = (values: string[]) => (order ? [...values].sort() : values);
    const found = province
      .current()
      .map((current): [string, unknown] => [
        nameOf(current),
        { lane: current.laneMac, name: current.name, id: current.residentId, values: told(current.values) },
      ]);
    const wanted = Object.entries(shown).map(([report, [person, ...values]]) => [
      report,
      { ...who(person), values: told(values) },
    ]);
    const sorted = (entries: unknown[]) => entries.map((entry) => entry as [string, unknown]).sort(byName);
    assert.deepEqual(sorted(found), sorted(wanted), 'what the province shows');
  }
  async function checkStates(state: string, codes: string[]): Promise<void> {
    const found = (await machine.states()).filter((message) => message.state === state);
    assert.deepEqual(found.map(({ code }) => code ?? 'unsent').sort(), [...codes].sort(), `what is ${state}`);
  }
  /** Looked at where the story says so; played at once, only at the end. */
  const expects = async (check: () => unknown): Promise<void> => {
    if (form.atOnce || form.chance) return;
    await work();
    await check();
  };
  const document = (name: string): Current => {
    const found = province.current().find((current) => nameOf(current) === name);
    if (!found) throw new Error(`no document of ${name} is current`);
    return found;
  };
  const finalReads: Array<() => void> = [];

  const scene: Scene = {
    from,
    lis: (...said) => from('lis', ...said),
    his: (...said) => from('his', ...said),
    ris: (...said) => from('ris', ...said),
    async repeats(source) {
      const message = last.get(source);
      if (!message) throw new Error(`${source} has sent nothing yet`);
      now += minute;
      await take(source, message.text, message.controlId);
    },
    async passes(time) {
      const [, count, unit] = /^(\d+) (min|h|d)$/.exec(time) ?? [];
      const ms = Number(count) * (units[unit ?? ''] ?? Number.NaN);
      if (Number.isNaN(ms)) throw new Error(`not a span of a story: ${time}`);
      await work();
      now += ms;
      await work();
    },
    async learns(source, change) {
      await work();
      changes.set(source, { ...changes.get(source), ...change });
      editions.set(source, around.editionOf(source) + 1);
      await cut('changed');
      await machine.learn(source);
      await cut('changed');
      await work();
    },
    line: {
      async goes(mode) {
        await beforeChange();
        province.mode = mode;
      },
      async comesBack() {
        await beforeChange();
        province.mode = 'up';
        const answered = inFlight;
        inFlight = [];
        if (answered.length > 0) await machine.settle(answered);
        await cut('changed');
        now += 10 * minute;
        await workAwhile();
      },
    },
    refuses(report, code) {
      province.faults.items = [{ report: `^${report}$`, status: 'refused', code }];
    },
    wantsParentOf(report) {
      province.faults.items = [{ report: `^${report}$`, status: 'wait-for-parent' }];
    },
    putsOff(report) {
      province.faults.items = [{ report: `^${report}$`, status: 'retry' }];
    },
    async wantsNothing() {
      await work();
      province.faults.items = [];
    },
    async shows(shown, order) {
      expected.shows = () => checkShown(shown, order);
      finalReads.length = 0;
      await expects(expected.shows);
    },
    async reads(report, pattern, not) {
      const check = () =>
        not === undefined
          ? assert.match(document(report).xml, pattern)
          : assert.doesNotMatch(document(report).xml, pattern);
      finalReads.push(check);
      await expects(check);
    },
    async holds(...codes) {
      expected.holds = codes;
      await expects(() => checkStates('quarantined', codes));
    },
    async waits(...codes) {
      expected.waits = codes;
      await expects(() => checkStates('waiting', codes));
    },
    async waitsSomehow() {
      expected.waits = undefined;
    },
    async trail(...operations) {
      if (!form.killedAt) await expects(() => assert.deepEqual(province.trail, operations));
    },
  };

  try {
    await play(scene);
    await work();
    assert.ok(expected.shows, 'a story ends with what the province shows');
    expected.shows();
    await checkStates('quarantined', expected.holds);
    if (expected.waits) await checkStates('waiting', expected.waits);
    await checkStates('unmapped', []);
    for (const check of finalReads) check();
    const documents = province
      .current()
      .map((current) =>
        [nameOf(current), `v${current.version}`, current.name, ...current.values, hashOf(current)].join(' | '),
      )
      .sort();
    return { places, kills, documents };
  } finally {
    machine.end();
  }
}

const hashOf = ({ xml }: Current): string => sha256(Buffer.from(xml)).slice(0, 8);
const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : a > b ? 1 : 0);
