import type { Clock } from '../../agent/support/clock.ts';
import { type AckProfile, ackProfiles } from './ack-profiles.ts';
import { type Answer, errorConditions, isTaken } from './answer.ts';
import type { Msh } from './msh.ts';

/** Makes our own MSH-10: unique over restarts, letters and digits, at most 20 characters (the limit of 2.3–2.5). */
export function createAckIds(clock: Clock, random: () => number = Math.random): () => string {
  const started = clock.now().toString(36).toUpperCase();
  const salt = Math.floor(random() * 36 ** 3)
    .toString(36)
    .toUpperCase()
    .padStart(3, '0');
  let count = 0;
  return () => {
    count += 1;
    return `Q${started}${salt}${count.toString(36).toUpperCase()}`.slice(0, 20);
  };
}

/** Local time without offset, YYYYMMDDHHMMSS, as senders here write and expect it. */
export function hl7Time(ms: number): string {
  const date = new Date(ms);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}${two(date.getHours())}${two(
    date.getMinutes(),
  )}${two(date.getSeconds())}`;
}

const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const textOf = (bytes: Uint8Array): string =>
  bytes.length === 0 ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

/** 2.5.1 → 205 (major × 100 + minor); undefined when MSH-12 is empty or not a version. */
function versionNumber(version: string): number | undefined {
  const match = /^\s*(\d{1,2})(?:\.(\d{1,2}))?/.exec(version);
  return match === null ? undefined : Number(match[1]) * 100 + Number(match[2] ?? 0);
}

/** An answer to something without a readable header: standard delimiters, nothing to echo. */
const unknownHeader: Msh = {
  delimiters: {
    field: '|',
    component: '^',
    repetition: '~',
    escape: '\\',
    subcomponent: '&',
    truncation: undefined,
  },
  encodingCharacters: ascii('^~\\&'),
  sendingApplication: ascii(''),
  sendingFacility: ascii(''),
  receivingApplication: ascii(''),
  receivingFacility: ascii(''),
  messageType: { code: '', trigger: '', structure: '' },
  controlId: ascii(''),
  processingId: ascii('P'),
  version: ascii('2.5.1'),
  isContinued: false,
  acceptAck: '',
  applicationAck: '',
  charset: ascii(''),
  declaredCharsets: [],
  hasMsa: false,
  isJoined: false,
};

/** True for a message that is itself an answer: it is never answered (point 24). */
export const isAcknowledgement = (msh: Msh): boolean => msh.hasMsa || msh.messageType.code.toUpperCase() === 'ACK';

/** ACK, ACK^R01 from 2.3, ACK^R01^ACK from 2.5 where the profile has it (point 20). The trigger is echoed only when it is one. */
function messageType(msh: Msh, version: number | undefined, structure: boolean): string {
  const { trigger } = msh.messageType;
  if ((version !== undefined && version < 203) || !/^[A-Za-z0-9]{1,8}$/.test(trigger)) return 'ACK';
  const { component } = msh.delimiters;
  return ['ACK', trigger, ...(structure && version !== undefined && version >= 205 ? ['ACK'] : [])].join(component);
}

/**
 * Builds the acknowledgement of a message, unframed, as bytes: MSH-10 and the applications and facilities
 * are copied byte for byte, so the answer is in the sender's delimiters and charset whatever they are
 * (reference/hl7v2.md §3.2 points 18–25, 29–32). `msh` undefined: the header could not be read.
 * `id` is our own MSH-10.
 */
export function buildAck(
  msh: Msh | undefined,
  answer: Answer,
  id: string,
  nowMs: number,
  profile: AckProfile = ackProfiles['original-always'],
): Uint8Array {
  const header = msh ?? unknownHeader;
  const { field, component, subcomponent } = header.delimiters;
  const version = versionNumber(textOf(header.version));
  const special = Object.values(header.delimiters);
  // Our texts are fixed; a delimiter of the sender's choice inside one gives way.
  const own = (text: string): string => [...text].map((c) => (special.includes(c) ? ' ' : c)).join('');

  const fields: Array<string | Uint8Array> = [
    'MSH',
    header.encodingCharacters,
    header.receivingApplication,
    header.receivingFacility,
    header.sendingApplication,
    header.sendingFacility,
    hl7Time(nowMs),
    '',
    messageType(header, version, profile.structure),
    id,
    header.processingId,
    header.version,
  ];
  // The sender's own declaration is echoed in MSH-18; MSH-13 to 17 stay empty, what is no condition apart: no answer to an answer.
  const echoed = profile.echoedConditions.includes(header.applicationAck) ? header.applicationAck : '';
  if (echoed !== '' || header.charset.length > 0) fields.push('', '', '', echoed);
  if (header.charset.length > 0) fields.push('', header.charset);
  const segments: Array<Array<string | Uint8Array>> = [fields];

  if (isTaken(answer)) {
    const { accepted } = profile;
    const details = accepted === undefined ? [] : [own(accepted.text), '', '', accepted.condition, ''];
    segments.push(['MSA', answer.code, header.controlId, ...details]);
  } else {
    const reason = own(answer.text ?? errorConditions[answer.condition]);
    const name = own(errorConditions[answer.condition]);
    const place = ['MSH', '1', ...(answer.field === undefined ? [] : [String(answer.field)])];
    if (profile.errors === 'MSA') {
      segments.push(['MSA', answer.code, header.controlId, reason, '', '', String(answer.condition), '']);
    } else if (version === undefined || version >= 205) {
      segments.push(['MSA', answer.code, header.controlId]);
      const condition = [String(answer.condition), name, 'HL70357'].join(component);
      const details = answer.text === undefined ? [] : ['', '', '', reason];
      segments.push(['ERR', '', place.join(component), condition, 'E', ...details]);
    } else {
      segments.push(['MSA', answer.code, header.controlId, reason]);
      const condition = [String(answer.condition), name, 'HL70357'].join(subcomponent ?? ' ');
      while (place.length < 3) place.push('');
      segments.push(['ERR', [...place, condition].join(component)]);
    }
  }

  // Latin-1 maps bytes to characters one to one: the sender's bytes come out as they went in.
  let text = '';
  for (const segment of segments)
    text += `${segment.map((value) => (typeof value === 'string' ? value : textOf(value))).join(field)}\r`;
  return ascii(text);
}
