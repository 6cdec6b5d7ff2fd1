import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sidecar } from '../platform/received.ts';
import type { ReportVersion } from './laboratory.ts';

/** What the province has, held against what was acknowledged. Each list names what is wrong; empty is right. */
export interface Account {
  documents: number;
  /** Documents delivered more than once under their key: allowed, and in effect once. */
  redelivered: number;
  /** Acknowledged versions of which the province has no document with their digits. */
  missing: string[];
  /** Documents whose digits nobody sent, or whose version is not the one that was sent. */
  strange: string[];
  /** Keys, (setId, version) or contents that took effect twice. */
  twice: string[];
  /** Lanes that mix patients, and documents accepted in another order than acknowledged. */
  disordered: string[];
  /** Lines of the province's list of refusals. */
  refused: string[];
}

const sidecarName = /^\d+\.[a-z]+\.json$/;

/** How many documents the province has accepted so far. */
export const countAccepted = (received: string): number =>
  readdirSync(received).filter((name) => sidecarName.test(name)).length;

/**
 * Reads all that the province accepted (`received` of the ready line) and compares it with what was
 * acknowledged, by connection in order of acknowledgement. Every acknowledged version must have a
 * document of its own: report times never go back, so the life cycle absorbs no version.
 */
export function settleAccount(received: string, acknowledged: readonly ReportVersion[][]): Account {
  const names = readdirSync(received).filter((name) => sidecarName.test(name));
  const documents = names
    .map((name) => {
      const sidecar = JSON.parse(readFileSync(join(received, name), 'utf8')) as Sidecar;
      const xml = readFileSync(join(received, name.slice(0, -'.json'.length)), 'utf8');
      // The marker is a structured value, digit for digit; nine digits and a version occur nowhere else.
      const markers = [...xml.matchAll(/ value="(\d{9}\.\d)"/g)].map((found) => found[1]!);
      return { ...sidecar, marker: markers.length === 1 ? markers[0]! : `${markers.length} markers` };
    })
    .sort((a, b) => a.n - b.n);

  const sent = new Map<string, ReportVersion & { connection: number; at: number }>();
  acknowledged.forEach((list, connection) => {
    list.forEach((version, at) => {
      sent.set(version.marker, { ...version, connection, at });
    });
  });

  const account: Account = {
    documents: documents.length,
    redelivered: documents.filter((document) => document.attempt > 1).length,
    missing: [],
    strange: [],
    twice: [],
    disordered: [],
    refused: [],
  };
  const seen = new Set<string>();
  const once = (what: string, n: number) => {
    if (seen.has(what)) account.twice.push(`${n}: ${what}`);
    seen.add(what);
  };
  const patientOfLane = new Map<string, string>();
  const laneOfPatient = new Map<string, string>();
  const lastOfPatient = new Map<string, number>();
  const lastVersion = new Map<string, number>();

  for (const { n, key, setId, version, report, lane, marker, operation } of documents) {
    once(`key ${key}`, n);
    once(`set ${setId} version ${version}`, n);
    once(`content ${marker}`, n);
    if (version <= (lastVersion.get(setId) ?? 0)) account.disordered.push(`${n}: version ${version} of ${report}`);
    lastVersion.set(setId, version);
    const origin = sent.get(marker);
    if (origin === undefined || origin.report !== report || origin.version !== version) {
      account.strange.push(`${n}: ${report} version ${version} says ${marker}`);
      continue;
    }
    if (operation !== (version === 1 ? 'publish' : 'replace')) account.strange.push(`${n}: ${report} as ${operation}`);
    const { patient, at } = origin;
    if ((patientOfLane.get(lane) ?? patient) !== patient || (laneOfPatient.get(patient) ?? lane) !== lane) {
      account.disordered.push(`${n}: lane of ${report} is not its patient's`);
    }
    patientOfLane.set(lane, patient);
    laneOfPatient.set(patient, lane);
    if (at < (lastOfPatient.get(patient) ?? -1))
      account.disordered.push(`${n}: ${report} version ${version} overtaken`);
    lastOfPatient.set(patient, at);
  }
  for (const marker of sent.keys()) if (!seen.has(`content ${marker}`)) account.missing.push(marker);
  const refusals = join(received, '..', 'refused.ndjson');
  if (existsSync(refusals)) account.refused = readFileSync(refusals, 'utf8').split('\n').filter(Boolean);
  return account;
}
