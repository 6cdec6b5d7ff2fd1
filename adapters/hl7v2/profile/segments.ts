/**
 * Segments a path may name, with the highest field number any HL7 v2 version up to 2.9 gives them
 * (PID is wider: Chinese senders use PID-35–39 for their own). Z segments are any `Z??`.
 */
const fieldCounts: Record<string, number> = {
  MSH: 28,
  EVN: 7,
  PID: 45,
  PD1: 23,
  NK1: 41,
  PV1: 54,
  PV2: 50,
  AL1: 6,
  DG1: 26,
  IN1: 55,
  MRG: 7,
  ORC: 38,
  OBR: 55,
  TQ1: 14,
  RXO: 36,
  RXE: 45,
  RXR: 6,
  SAC: 56,
  SPM: 35,
  OBX: 33,
  NTE: 9,
  TXA: 28,
  FT1: 56,
  DSC: 2,
  MSA: 8,
  ERR: 12,
  FHS: 14,
  BHS: 14,
  BTS: 3,
  FTS: 2,
};

/** Fields a Z segment may have in a path; beyond it a number is a slip of the pen. */
const zFieldCount = 200;

/** Highest field number of a segment, or undefined when HL7 knows no such segment. */
export function fieldCountOf(segmentId: string): number | undefined {
  if (Object.hasOwn(fieldCounts, segmentId)) return fieldCounts[segmentId];
  return /^Z[A-Z0-9]{2}$/.test(segmentId) ? zFieldCount : undefined;
}

const knownIds = new Map(Object.keys(fieldCounts).map((id) => [id, id]));

/**
 * The id of a segment HL7 knows as our own string, else undefined. Three letters alone on a line are an
 * empty segment when it knows them, and one string for each id makes comparing ids cheap.
 */
export const knownSegment = (segmentId: string): string | undefined => knownIds.get(segmentId);
