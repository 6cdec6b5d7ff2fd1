import { type Hl7Message, type Segment, valueAt } from '../parser.ts';

/** Result messages the extraction reads. */
const readable = new Set(['ORU^R01', 'OUL^R21', 'OUL^R22', 'OUL^R23', 'OUL^R24']);

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

export const isReadable = (type: MessageType): boolean => readable.has(type.shown);

/** In OUL a specimen stands before its orders, in ORU after the results. */
export const specimenFirst = (type: MessageType): boolean => type.code === 'OUL';

/** Whether a type pattern of a profile (`ORU^R01`, `OUL^*`, `ORU`) names a type the extraction reads. */
export function isReadableType(pattern: string): boolean {
  const [code, trigger = '*'] = pattern.split('^');
  return [...readable].some((type) => (trigger === '*' ? type.startsWith(`${code}^`) : type === `${code}^${trigger}`));
}
