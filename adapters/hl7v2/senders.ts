import { z } from 'zod';
import { nameKey, profileKey } from '../../agent/intake/source-keys.ts';
import { bothLanguages } from '../../agent/support/text.ts';
import { allowList } from '../sources/listening/addresses.ts';
import { networkKey } from '../sources/listening/config.ts';
import { encodeText } from './charset.ts';
import type { Msh } from './msh.ts';

/** Printable, and no blank at its ends: those of a message are not looked at. */
const asSent = z
  .string()
  .max(227)
  .regex(/^[^\s\p{C}](.*[^\s\p{C}])?$/u, {
    error: bothLanguages('不能为空，首尾不能有空格。', 'must not be empty nor begin or end with a blank.'),
  });

const oneCriterion = bothLanguages(
  '至少要写一项识别依据：applications（MSH-3）、facilities（MSH-4），MLLP 还可用 addresses。',
  'needs at least one of applications (MSH-3), facilities (MSH-4) and, on MLLP, addresses.',
);

const senderKeys = {
  name: nameKey,
  profile: profileKey,
  /** MSH-3, first component, as it stands in the message; one of these. */
  applications: z.array(asSent).min(1).max(100).optional(),
  /** MSH-4, likewise. */
  facilities: z.array(asSent).min(1).max(100).optional(),
  /** Its reports are the same as those that came under this name before: corrections find them. none: it is a new system. */
  continues: nameKey.optional(),
};
const addressKeys = { addresses: z.array(networkKey).min(1).max(100).optional() };

const byHeader = z
  .strictObject(senderKeys)
  .refine(({ applications, facilities }) => applications ?? facilities, oneCriterion);
const byHeaderOrAddress = z
  .strictObject({ ...senderKeys, ...addressKeys })
  .refine(({ applications, facilities, addresses }) => applications ?? facilities ?? addresses, oneCriterion);

/**
 * The keys by which a source of HL7 messages tells senders apart: `senders`, each a source of its own to everything behind
 * intake, and `unlisted`, for messages that none of them fits. Where nothing connects there are no addresses.
 */
export const sendersKey = ({ addresses }: { addresses: boolean }) => ({
  senders: z
    .array((addresses ? byHeaderOrAddress : byHeader) as typeof byHeaderOrAddress)
    .max(64)
    .default([]),
  /** take: under the source's own name and profile. refuse: AR, HL7-2121, and nothing is stored. See chooseSender. */
  unlisted: z.enum(['take', 'refuse']).default('take'),
});

export interface SenderEntry {
  name: string;
  addresses?: readonly string[] | undefined;
  applications?: readonly string[] | undefined;
  facilities?: readonly string[] | undefined;
}

/** An entry made ready to be compared with every message. */
export interface KnownSender {
  name: string;
  hasAddress?(address: string): boolean;
  applications?: Uint8Array[];
  facilities?: Uint8Array[];
}

/** A name in each charset a header may have: the bytes are compared, whatever a header declares. */
function written(name: string): Uint8Array[] {
  if (/^[\0-\x7f]*$/.test(name)) return [encodeText(name, 'US-ASCII')];
  const both = [encodeText(name, 'UTF-8'), encodeText(name, 'GB18030')];
  return /^[\0-\xff]*$/.test(name) ? [...both, encodeText(name, 'ISO-8859-1')] : both;
}

/** Makes the entries of `senders` ready, in their order. */
export const knownSenders = (entries: readonly SenderEntry[]): KnownSender[] =>
  entries.map(({ name, addresses: networks, applications, facilities }) => ({
    name,
    ...(networks && { hasAddress: allowList(networks) }),
    ...(applications && { applications: applications.flatMap(written) }),
    ...(facilities && { facilities: facilities.flatMap(written) }),
  }));

/** An entry as it stands to one address. */
export interface SenderAt<K extends KnownSender> {
  sender: K;
  /** Whether the address is one of its; undefined: it names none. */
  hasAddress: boolean | undefined;
}

/**
 * The entries that may fit messages from an address, in their order: addresses are compared once, not for every message.
 * @param address undefined where nothing connects.
 */
export function sendersAt<K extends KnownSender>(senders: readonly K[], address?: string): SenderAt<K>[] {
  const all = senders.map((sender) => ({
    sender,
    hasAddress: sender.hasAddress && address !== undefined && sender.hasAddress(address),
  }));
  return all.filter(({ sender, hasAddress }) => hasAddress !== false || sender.applications || sender.facilities);
}

type Named = Pick<Msh, 'sendingApplication' | 'sendingFacility' | 'delimiters'>;

/**
 * The first entry all of whose criteria fit; undefined when none does, and `in-part` when one has criteria that fit and others
 * that do not: a device that an update gave another name, or a stranger behind the same gateway. Nobody can tell which, and by
 * another profile its report numbers may be those of somebody else's reports.
 * @param msh undefined when it cannot be read: then only an address tells, and nothing fits in part.
 */
export function chooseSender<K extends KnownSender>(
  senders: readonly SenderAt<K>[],
  msh: Named | undefined,
): K | 'in-part' | undefined {
  let inPart = false;
  for (const { sender, hasAddress } of senders) {
    const { applications, facilities } = sender;
    if (msh === undefined) {
      if (hasAddress === true && applications === undefined && facilities === undefined) return sender;
      continue;
    }
    const hasApplication = applications && isOneOf(applications, msh.sendingApplication, msh);
    const hasFacility = facilities && isOneOf(facilities, msh.sendingFacility, msh);
    if (hasAddress !== false && hasApplication !== false && hasFacility !== false) return sender;
    inPart ||= hasAddress === true || hasApplication === true || hasFacility === true;
  }
  return inPart ? 'in-part' : undefined;
}

/** Whose header tells who sends a message: its own, or that of the batch it came in where its own names nobody. */
export const speaksFor = (msh: Msh | undefined, batch: Msh | undefined): Msh | undefined =>
  msh !== undefined && batch !== undefined && namesNobody(msh) ? batch : msh;

/** Neither MSH-3 nor MSH-4. */
export const namesNobody = ({ sendingApplication, sendingFacility }: Msh): boolean =>
  isEmpty(sendingApplication) && isEmpty(sendingFacility);

/** Blanks, and delimiters with nothing between them. */
const isEmpty = (field: Uint8Array): boolean =>
  Buffer.from(field)
    .toString('latin1')
    .replace(/[\s"^~&]/g, '') === '';

const isBlank = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x09;

/**
 * Whether the first component of a field is one of these names. Bytes are compared and nothing is decoded, so `^` as the
 * second byte of an ideograph is no end.
 */
function isOneOf(names: readonly Uint8Array[], field: Uint8Array, { delimiters }: Pick<Msh, 'delimiters'>): boolean {
  let from = 0;
  while (isBlank(field[from])) from++;
  const component = delimiters.component.charCodeAt(0);
  const repetition = delimiters.repetition?.charCodeAt(0);
  return names.some((name) => {
    for (let at = 0; at < name.length; at++) if (field[from + at] !== name[at]) return false;
    let end = from + name.length;
    while (isBlank(field[end])) end++;
    return end >= field.length || field[end] === component || field[end] === repetition;
  });
}
