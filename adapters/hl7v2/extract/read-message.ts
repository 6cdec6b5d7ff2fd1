import type { Finding } from '../../../agent/clinical/records/types.ts';
import type { MappingContext, Reading, Statement } from '../../../agent/mapping/mapper.ts';
import type { Phi } from '../../../agent/support/phi.ts';
import { decodeMessage } from '../charset.ts';
import { isOneOf, judgeProcessingId, judgeType } from '../intake-rules.ts';
import { separateJoined } from '../joined-segments.ts';
import { type Hl7Message, parseMessage, valueAt } from '../parser.ts';
import type { CompiledProfile } from '../profile/rules.ts';
import type { Scope } from '../profile/scope.ts';
import { readDocument } from './clinical-documents.ts';
import { readMerge, readUnlink } from './merges.ts';
import { type Circumstances, enterPatient, hold, readTold, type Told, timesOf } from './message-context.ts';
import { type Family, familyOf, type MessageType, messageTypeOf, unreadRule } from './message-type.ts';
import { readOrders, readPrescriptions } from './orders.ts';
import { areOfOne, atOrganisation } from './organisation.ts';
import type { Said } from './reading.ts';
import { readResults } from './reports/read-results.ts';
import { SearchKeys } from './search-keys.ts';
import { groupOrders, groupVisits } from './segment-groups.ts';
import { readVisit } from './visits.ts';

/**
 * What a message says, after its source profile. Pure: the same bytes, rules and context give the same
 * reading. Filtered are types and processing ids the profile does not take (rules HL7-2104, HL7-2105) and
 * what no platform takes, by a rule with a name of its own (message-type.ts, `quality-control`, `heartbeat`).
 * Held as a whole is what cannot be decoded (MLLP-2006), is no HL7 (HL7-2101) or does not group
 * (HL7-2106); a record that cannot be trusted is held alone (HL7-2102, MAP-3003 … MAP-3008).
 */
export function readMessage(rules: CompiledProfile, raw: Phi<Uint8Array>, context: MappingContext): Reading {
  const keys = new SearchKeys();
  const held = (code: string, where: string, type = 'other'): Reading => ({
    kind: 'held',
    type,
    code,
    where,
    lookups: keys.keys,
  });

  const decoded = decodeMessage(raw.reveal(), rules.profile.intake.charset);
  if (!decoded.ok) return held(decoded.code, 'MSH-18');
  const joins = rules.profile.intake.segments_joined === 'spaces';
  const text = joins ? separateJoined(decoded.text) : decoded.text;
  const message = parseMessage(text, escapeCharset(decoded.charset));
  const msh = message?.segments[0];
  if (message === undefined || msh === undefined) return held('HL7-2101', 'MSH');
  if (msh.id !== 'MSH') return held('HL7-2106', msh.id);

  const type = messageTypeOf(message, msh);
  keys.add('control', valueAt(message, msh, 10));
  const scope: Scope = {
    message,
    timeZone: rules.profile.time_zone ?? context.timeZone,
    current: { MSH: msh },
    readFrom: undefined,
    readRepetition: 1,
  };
  const times = timesOf(message, msh, scope.timeZone, context.receivedMs);
  const circumstances: Circumstances = { rules, scope, msh, context, keys, ...times };
  const family = familyOf(type);
  const rule = ruleFor(circumstances, type, family);
  if (rule !== undefined || family === undefined) {
    const grouping = groupVisits(message, rules);
    if (grouping.ok) for (const { segments } of grouping.groups) enterPatient(circumstances, segments);
    return { kind: 'filtered', type: type.shown, rule: rule ?? 'HL7-2104', lookups: keys.keys };
  }
  if (isOfNobodyKnown(circumstances)) return held('MAP-3043', 'quality_control', type.shown);
  const said = readers[family](circumstances, type);
  if ('unreadable' in said) return held('HL7-2106', said.unreadable, type.shown);
  const inferred = decoded.guessed && decoded.charset === 'GB18030';
  const statements = inferred ? said.statements.map(withInferredCharset) : said.statements;
  return { kind: 'statements', type: type.shown, statements, lookups: keys.keys };
}

/** Nobody named the charset, or one that does not fit: who reads the report shall know (HL7-2108). */
function withInferredCharset(statement: Statement): Statement {
  if (!('ok' in statement)) return statement;
  const inferred: Finding = { code: 'HL7-2108', where: 'patient.name', dimension: 'accuracy' };
  return { ...statement, ok: { ...statement.ok, findings: [...statement.ok.findings, inferred] } };
}

/** ASCII says nothing of bytes beyond it, and UTF-16 is no charset of escapes. */
const escapeCharset = (charset: string): string =>
  charset === 'US-ASCII' || charset.startsWith('UTF-16') ? 'utf-8' : charset;

/** The rule by which a message as a whole is acknowledged and not carried. */
function ruleFor(
  { rules, scope, msh }: Circumstances,
  type: MessageType,
  family: Family | undefined,
): string | undefined {
  const { intake } = rules.profile;
  const { message } = scope;
  if (judgeProcessingId(intake, valueAt(message, msh, 11)) !== 'accept') return 'HL7-2105';
  if (isOneOf(rules.profile.heartbeat.types, type)) return 'heartbeat';
  const unread = unreadRule(type);
  if (unread !== undefined) return unread;
  if (family === undefined || judgeType(intake, type) !== 'accept' || !isConfigured(rules, family)) return 'HL7-2104';
  if (family === 'results' && valueAt(message, msh, 14) === '' && isBare(rules, message)) return 'heartbeat';
  const said = rules.qualityControl?.path(scope);
  return said !== undefined && rules.qualityControl?.values.has(said) ? 'quality-control' : undefined;
}

/** The profile lists what says "a patient", and this says neither that nor quality control: it is not guessed. */
function isOfNobodyKnown({ rules: { qualityControl }, scope }: Circumstances): boolean {
  const said = qualityControl?.path(scope);
  return qualityControl?.patient !== undefined && said !== undefined && !qualityControl.patient.has(said);
}

/** A device says that it is there. */
const isBare = ({ heartbeatSegments }: CompiledProfile, { segments, text, delimiters }: Hl7Message): boolean =>
  segments.every(({ id }) => heartbeatSegments.has(id)) &&
  // Orders and results whose line ends were lost stand in the fields of another segment.
  !['OBR', 'OBX'].some((id) => text.includes(`${id}${delimiters.field}`));

/** A profile without a section takes nothing of what the section is about; one that lists the type is refused at load. */
function isConfigured(rules: CompiledProfile, family: Family): boolean {
  switch (family) {
    case 'merges':
      return rules.merge.length > 0;
    case 'orders':
      return rules.order !== undefined;
    case 'prescriptions':
      return rules.prescription !== undefined;
    case 'documents':
      return rules.document !== undefined;
    default:
      return true;
  }
}

const readers: Record<Family, (circumstances: Circumstances, type: MessageType) => Said> = {
  results: readResults,
  visits: (circumstances, { trigger }) => eachVisit(circumstances, (told) => readVisit(told, trigger)),
  merges: readMerges,
  orders: (circumstances) => {
    const { order } = circumstances.rules;
    return order === undefined
      ? { statements: [] }
      : ofOrders(circumstances, (told, groups) => readOrders(told, order, groups));
  },
  prescriptions: (circumstances) => {
    const { prescription } = circumstances.rules;
    return prescription === undefined
      ? { statements: [] }
      : ofOrders(circumstances, (told, groups) => readPrescriptions(told, prescription, groups));
  },
  documents: (circumstances, { trigger }) => {
    const { document } = circumstances.rules;
    return document === undefined
      ? { statements: [] }
      : eachVisit(circumstances, (told, group) => readDocument(told, document, group, trigger));
  },
};

type VisitGroups = Extract<ReturnType<typeof groupVisits>, { ok: true }>['groups'];
type OrderGroups = Extract<ReturnType<typeof groupOrders>, { ok: true }>['groups'];

function eachVisit(circumstances: Circumstances, read: (told: Told, group: VisitGroups[number]) => Statement[]): Said {
  const { rules, scope } = circumstances;
  const grouping = groupVisits(scope.message, rules);
  if (!grouping.ok) return { unreadable: grouping.where };
  const readAt = (group: VisitGroups[number]): Statement[] => {
    const told = readTold(circumstances, group);
    return atOrganisation(told, read(told, group));
  };
  return { statements: grouping.groups.flatMap(readAt) };
}

function ofOrders(circumstances: Circumstances, read: (told: Told, groups: OrderGroups) => Statement[]): Said {
  const grouping = groupOrders(circumstances.scope.message, circumstances.rules);
  if (!grouping.ok) return { unreadable: grouping.where };
  const told = readTold(circumstances, grouping.patient);
  return { statements: atOrganisation(told, read(told, grouping.groups)) };
}

/** Each PID and MRG is a merge of its own; of an unlink two PIDs are the pair. */
function readMerges(circumstances: Circumstances, { trigger }: MessageType): Said {
  const grouping = groupVisits(circumstances.scope.message, circumstances.rules);
  if (!grouping.ok) return { unreadable: grouping.where };
  const { groups } = grouping;
  if (trigger !== 'A37') {
    const mergeOf = (told: Told): Statement[] => atOrganisation(told, [readMerge(told, trigger)]);
    return { statements: groups.flatMap((group) => mergeOf(readTold(circumstances, group))) };
  }
  if (groups.length !== 2) return { unreadable: 'PID' };
  const [first, second] = groups.map((group) => readTold(circumstances, group));
  if (first === undefined) return { unreadable: 'PID' };
  if (second && !areOfOne(first, second)) return { statements: [hold({ code: 'MAP-3040', where: 'organisation' })] };
  return { statements: atOrganisation(first, [readUnlink(first, second)]) };
}
