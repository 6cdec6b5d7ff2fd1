import { type Hl7Message, type Segment, valueAt } from '../parser.ts';

/** What kind of reading a message type gets. */
export type Family = 'results' | 'visits' | 'merges' | 'orders' | 'prescriptions' | 'documents';

const families = new Map<string, Family>([
  ...['ORU^R01', 'OUL^R21', 'OUL^R22', 'OUL^R23', 'OUL^R24'].map((type) => [type, 'results'] as const),
  ...['A01', 'A02', 'A03', 'A04', 'A06', 'A07', 'A08', 'A11', 'A12', 'A13', 'A28', 'A31'].map(
    (trigger) => [`ADT^${trigger}`, 'visits'] as const,
  ),
  ...['A34', 'A35', 'A36', 'A37', 'A40', 'A45', 'A47'].map((trigger) => [`ADT^${trigger}`, 'merges'] as const),
  ...['ORM^O01', 'OML^O21', 'OMG^O19'].map((type) => [type, 'orders'] as const),
  ['RDE^O11', 'prescriptions'],
  ...Array.from({ length: 11 }, (_, i) => [`MDM^T${String(i + 1).padStart(2, '0')}`, 'documents'] as const),
]);

/**
 * Types that are acknowledged and never carried, by the rule that filters them. They say nothing that a platform takes:
 * alarms of devices, appointments, charges, catalogues, and answers and questions between systems.
 */
const unread = new Map<string, string>([
  ['ORU^R40', 'device-alarm'],
  ['ORU^R42', 'device-alarm'],
  ['ORU^W01', 'waveform'],
  ...['SIU', 'SRM', 'SRR'].map((code) => [code, 'schedule'] as const),
  ...['DFT', 'BAR'].map((code) => [code, 'charges'] as const),
  ...['MFN', 'MFK', 'MFQ', 'MFR'].map((code) => [code, 'master-files'] as const),
  ...['QRY', 'QBP', 'QCN', 'QSB', 'QVR', 'VXQ', 'OSQ', 'RQC', 'RQI', 'RQP', 'RQQ'].map(
    (code) => [code, 'query'] as const,
  ),
  ...['ACK', 'ADR', 'ORR', 'ORG', 'ORL', 'RRE', 'RRD', 'RSP', 'QCK', 'DSR', 'VXR', 'VXX', 'ORF', 'RPI'].map(
    (code) => [code, 'answer'] as const,
  ),
]);

/** Message codes of HL7 v2 that may be shown as they are; anything else is `other`. */
const knownCodes = new Set(
  (
    'ACK ADT BAR CRM CSU DFT DOC DSR EAC EAN EAR EHC ESR ESU INR INU LSR LSU MCF MDM MFD MFK MFN MFQ MFR NMD NMQ ' +
    'NMR OMB OMD OMG OMI OML OMN OMP OMS OPL OPR OPU ORA ORB ORD ORF ORG ORI ORL ORM ORN ORP ORR ORS ORU OSM OSQ ' +
    'OSR OUL PEX PGL PIN PMU PPG PPP PPR PPT PPV PRR PTR QBP QCK QCN QRY QSB QSX QVR RAR RAS RCI RCL RDE RDO RDR ' +
    'RDS RDY REF RER RGR RGV ROR RPA RPI RPL RPR RQA RQC RQI RQP RRA RRD RRE RRG RRI RSP RTB SCN SDN SDR SIU SLN ' +
    'SLR SMD SQM SQR SRM SRR SSR SSU STC STI SUR TBR TCR TCU UDM VXQ VXR VXU VXX'
  ).split(' '),
);

export interface MessageType {
  code: string;
  trigger: string;
  /** `ORU^R01`, or `other` when it is in no list: what came from outside is not shown. */
  shown: string;
}

/** MSH-9. A trigger that is missing is taken from the structure (`ORU_R01`). */
export function messageTypeOf(message: Hl7Message, msh: Segment): MessageType {
  const first = valueAt(message, msh, 9, 1, 1).trim().toUpperCase();
  const structure = first.includes('_') ? first : valueAt(message, msh, 9, 1, 3).trim().toUpperCase();
  const code = first.split('_')[0] ?? '';
  const trigger = valueAt(message, msh, 9, 1, 2).trim().toUpperCase() || (structure.split('_')[1] ?? '');
  const known = knownCodes.has(code);
  const shown = !known ? 'other' : /^[A-Z]\d\d$/.test(trigger) ? `${code}^${trigger}` : code;
  return { code, trigger, shown };
}

export const familyOf = (type: MessageType): Family | undefined => families.get(type.shown);

/** The rule that filters a type nobody carries, if there is a more telling one than "not taken" (HL7-2104). */
export const unreadRule = (type: MessageType): string | undefined => unread.get(type.shown) ?? unread.get(type.code);

/** A question to a system that has answers, by its code in MSH-9. */
export const isQuery = (code: string): boolean => unread.get(code.toUpperCase()) === 'query';

/** Families that a pattern of a profile (`ORU^R01`, `ADT^*`, `ORU`) names types of; none: nobody reads them. */
export function familiesOf(pattern: string): Set<Family> {
  const [code, trigger = '*'] = pattern.split('^');
  const found = new Set<Family>();
  for (const [type, family] of families) {
    if (trigger === '*' ? type.startsWith(`${code}^`) : type === `${code}^${trigger}`) found.add(family);
  }
  return found;
}

/** In OUL a specimen stands before its orders; in ORU and OUL^R24 after the results. */
export const specimenFirst = (type: MessageType): boolean => type.code === 'OUL' && type.trigger !== 'R24';
