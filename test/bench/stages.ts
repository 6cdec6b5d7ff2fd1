import { Hl7Message } from '@medplum/core';
import { Message } from 'node-hl7-client';
import { buildAck, createAckIds } from '../../adapters/hl7v2/ack.ts';
import { createFramer, frame } from '../../adapters/hl7v2/framing.ts';
import { fieldText, parseMessage, valueAt } from '../../adapters/hl7v2/parser.ts';
import { checkProfile, compileProfile } from '../../adapters/hl7v2/profile/check.ts';
import { judgeFrame } from '../../adapters/sources/hl7-mllp/verdict.ts';
import type { PatientState } from '../../agent/clinical/patients/types.ts';
import { mapBatch } from '../../agent/mapping/map.ts';
import { renderBatch } from '../../agent/rendering/render.ts';
import type { InboxMessage, JournalEntry, MappingBatch } from '../../agent/store/contract.ts';
import { readAsset } from '../../agent/support/assets.ts';
import { systemClock } from '../../agent/support/clock.ts';
import { phi } from '../../agent/support/phi.ts';
import { compilePack } from '../adapters/formats/wst500-cda/compile-pack.ts';
import { makeMessages } from './messages.ts';
import { median } from './table.ts';

/**
 * µs of CPU-bound work a message; median of many short batches.
 *   intake        frame, MSH, verdict, acknowledgement: what intake does before and after the store
 *   read          decode, parse, extract all 30 items after the profile
 *   medplumParse  `Hl7Message.parse` of @medplum/core on the decoded text: parsing only, nothing extracted
 *   fields        parse the decoded text of a message as most laboratories send it (3.6 KB), read the value of every field
 *   nodeHl7Fields, medplumFields   the same with the parsers of node-hl7-client and @medplum/core
 *   document      from the stored bytes to the finished document: read, report life cycle, journal entry, C0007
 *
 *     node test/bench/stages.ts <milliseconds> <stage>,<stage>…
 */
const batch = 50;
const profile = readAsset('config/dialects/cn-default.yaml');
const reader = compileProfile(profile);
const renderer = compilePack(readAsset('config/provinces/cn-wst500/pack.yaml'), {});
const site = { orgCode: '12100000MB0000001P', name: '示例市人民医院' };
const timeZone = 'Asia/Shanghai';

const maker = makeMessages(500);
const takeBatch = () => Array.from({ length: batch }, () => maker.next().framed);

const rules = checkProfile(profile).profile.intake;
const ackId = createAckIds(systemClock);
function intake(framed: Buffer[]): void {
  const framer = createFramer({ maxMessageBytes: 16 * 1024 * 1024, requireEnd: true });
  for (const one of framed) {
    framer.push(one);
    const event = framer.next();
    const verdict = event?.kind === 'frame' ? judgeFrame(event.bytes, rules) : undefined;
    if (verdict?.kind !== 'store') throw new Error('not taken');
    frame(buildAck(verdict.msh, { code: 'AA' }, ackId(), Date.now()));
  }
}

function read(framed: Buffer[]): void {
  for (const one of framed) {
    const reading = reader.read(phi(one.subarray(1, -2)), { receivedMs: Date.now(), source: 'lis', timeZone });
    if (reading.kind !== 'statements' || !('ok' in reading.statements[0]!)) throw new Error('not read');
  }
}

function medplumParse(framed: Buffer[]): void {
  for (const one of framed)
    if (Hl7Message.parse(one.toString('utf8', 1, one.length - 2)).segments.length < 30) throw new Error('not read');
}

/** As far as OBX-16, which few laboratories go beyond: 30 OBX, 600 fields. */
const texts = Array.from({ length: batch }, () =>
  maker
    .next()
    .framed.toString('utf8')
    .slice(1, -2)
    .replaceAll(/(\rOBX(?:\|[^|\r]*){16})[^\r]*/g, '$1'),
);
const leastFields = 590;
const enough = (fields: number): void => {
  if (fields < leastFields) throw new Error('not read');
};

function fields(): void {
  for (const text of texts) {
    const message = parseMessage(text);
    let read = 0;
    for (const segment of message?.segments ?? []) {
      fieldText(message!, segment, 3);
      const count = segment.bounds?.length ?? 0;
      for (let field = 1; field <= count; field++) if (valueAt(message!, segment, field) !== undefined) read++;
    }
    enough(read);
  }
}

function nodeHl7Fields(): void {
  for (const text of texts) {
    let read = 0;
    for (const segment of new Message({ text: text }).toArray())
      for (const field of segment.toArray()) if (field.toString() !== undefined) read++;
    enough(read);
  }
}

function medplumFields(): void {
  for (const text of texts) {
    let read = 0;
    for (const segment of Hl7Message.parse(text).segments)
      for (const field of segment.fields) if (field.components[0]?.[0] !== undefined) read++;
    enough(read);
  }
}

let documentBytes = 0;
/** The product's own mapping and rendering, with a store that keeps nothing. */
async function document(framed: Buffer[]): Promise<void> {
  const messages = framed.map(
    (one, at): InboxMessage => ({ seq: at + 1, source: 'lis', receivedMs: Date.now(), raw: phi(one.subarray(1, -2)) }),
  );
  let journal: JournalEntry[] = [];
  const patients = new Map<string, PatientState>();
  let through = 0;
  let rendered = 0;
  const store = {
    inbox: (after: number) => messages.slice(after),
    mappedThrough: () => through,
    report: () => undefined,
    reportsOf: () => [],
    partsOf: () => [],
    patient: (key: string) => patients.get(key),
    due: () => [],
    quarantined: () => [],
    held: () => [],
    hasOther: () => false,
    marked: () => undefined,
    async commitMapping(mapped: MappingBatch) {
      through = mapped.through ?? through;
      for (const { seq, parts } of mapped.messages) {
        const [part] = parts;
        if (part?.kind !== 'record') throw new Error('not mapped');
        for (const entry of part.entries) {
          journal.push({ ...entry, jseq: seq, seq, source: 'lis', receivedMs: Date.now() });
        }
      }
      for (const state of mapped.patients ?? []) patients.set(state.patientKey, state);
    },
    journal: () => journal,
    unsent: () => 0,
    async commitRendering(
      _: string,
      last: number,
      results: Array<{ rendered: { kind: string; bytes?: { reveal(): Uint8Array } } }>,
    ) {
      journal = journal.filter((entry) => entry.jseq > last);
      for (const result of results) {
        if (result.rendered.kind !== 'document') throw new Error('not rendered');
        documentBytes = result.rendered.bytes?.reveal().length ?? 0;
      }
      rendered += results.length;
    },
  };
  const mapping = {
    store,
    readers: new Map([['lis', reader]]),
    timeZone,
    setIdOf: (key: string) => key.padEnd(32, '0').slice(0, 32),
    clock: systemClock,
  };
  const rendering = {
    platform: 'province',
    renderer,
    store,
    filters: {},
    holdMs: 0,
    bound: 1e6,
    site,
    clock: systemClock,
  };
  while (through < messages.length) await mapBatch(mapping);
  while (rendered < messages.length) await renderBatch(rendering);
}

const work = { intake, read, medplumParse, document, fields, nodeHl7Fields, medplumFields };
export type StageName = keyof typeof work;
/** Of those that were asked for. */
export interface StageResult {
  costs: Partial<Record<StageName, number>>;
  documentBytes: number;
}

/** The stages in turn, batch by batch, so that whatever else the machine does falls on all of them. */
async function measure(names: StageName[], ms: number): Promise<StageResult> {
  const took = new Map<StageName, number[]>(names.map((name) => [name, []]));
  const started = performance.now();
  while (performance.now() - started < ms) {
    for (const name of names) {
      const framed = takeBatch();
      const before = performance.now();
      await work[name](framed);
      // The first third is the compiler's.
      if (performance.now() - started > ms / 3) took.get(name)!.push(((performance.now() - before) * 1000) / batch);
    }
  }
  return { costs: Object.fromEntries([...took].map(([name, found]) => [name, median(found)])), documentBytes };
}

process.send?.(await measure(process.argv[3]!.split(',') as StageName[], Number(process.argv[2])));
process.disconnect?.();
