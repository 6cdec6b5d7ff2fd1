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
  /** Its reports are the same as those that came under this name before: corrections find them. */
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
    .max(1000)
    .default([]),
  /** take: under the source's own name and profile. refuse: AR, HL7-2121, and nothing is stored. */
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

/** What is known of where a message came from. A header that cannot be read is undefined: only an address tells then. */
export interface Origin {
  address?: string;
  msh: Pick<Msh, 'sendingApplication' | 'sendingFacility' | 'delimiters'> | undefined;
}

/** The first entry all of whose criteria fit; undefined when none does. */
export function chooseSender<K extends KnownSender>(senders: readonly K[], { address, msh }: Origin): K | undefined {
  return senders.find(
    ({ hasAddress, applications, facilities }) =>
      (hasAddress === undefined || (address !== undefined && hasAddress(address))) &&
      (applications === undefined || (msh !== undefined && isOneOf(applications, msh.sendingApplication, msh))) &&
      (facilities === undefined || (msh !== undefined && isOneOf(facilities, msh.sendingFacility, msh))),
  );
}

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
