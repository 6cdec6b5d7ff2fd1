import { join } from 'node:path';
import type { Test } from 'tap';
import { httpsConfig } from '../../../adapters/platforms/https/config.ts';
import { openHttps } from '../../../adapters/platforms/https/platform.ts';
import { type Delivery, startDelivery } from '../../../agent/delivery/deliver.ts';
import type { PlatformConnection } from '../../../agent/delivery/platform.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import { type Log, silentLog } from '../../../agent/support/log.ts';
import { document } from '../../adapters/platforms/https/documents.ts';
import {
  type Behaviour,
  type FaultPlatform,
  startFaultPlatform,
  type WireItem,
} from '../../adapters/platforms/https/fault-platform.ts';
import { createPki, type Pki, type PkiOptions } from '../../platform/pki.ts';
import { MemoryStore } from './memory-store.ts';

export interface Rig {
  pki: Pki;
  platform: FaultPlatform;
  connection: PlatformConnection;
  store: MemoryStore;
  events: Array<{ level: string; event: string; code?: string }>;
  start(over?: object): Delivery;
}

/** The real loop and https adapter against a platform that misbehaves as told, over a store that sees every breach. */
export async function rig(t: Test, options: PkiOptions = {}, batch: object = {}, answerMs = 5_000): Promise<Rig> {
  const pki = createPki(join(t.testdir(), 'pki'), options);
  const platform = await startFaultPlatform(pki);
  const events: Rig['events'] = [];
  const say =
    (level: string): Log['info'] =>
    (event, fields) =>
      void events.push({ level, event, ...(fields?.code !== undefined && { code: fields.code }) });
  const log: Log = { info: say('info'), warn: say('warn'), error: say('error') };
  const connection = await openHttps(
    { name: 'p', clock: systemClock, log, agentId: 'agent-1' },
    httpsConfig.parse({
      url: platform.url,
      tls: { ca: pki.ca, cert: pki.clientCert, key: pki.clientKey },
      batch,
    }),
    { connectMs: 5_000, answerMs, exchangeMs: 20_000, certificateCheckMs: 0 },
  );
  const store = new MemoryStore();
  const deliveries: Delivery[] = [];
  t.teardown(async () => {
    for (const delivery of deliveries) await delivery.stop();
    await connection.close();
    await platform.close();
    // Thrown, because an assertion comes too late here.
    if (store.breaches.length > 0) throw new Error(store.breaches.join('; '));
  });
  return {
    pki,
    platform,
    connection,
    store,
    events,
    start(over = {}) {
      const delivery = startDelivery({
        platform: 'p',
        connection,
        store,
        clock: systemClock,
        log,
        changed: () => {},
        timing: { retry: { baseMs: 10, maxMs: 40 }, probeMs: 60, lingerMs: 1, graceMs: 2_000 },
        ...over,
      });
      deliveries.push(delivery);
      return delivery;
    },
  };
}

type Options = Parameters<typeof startDelivery>[0];

/** The real loop over any store, to the one platform `province`. */
export const deliverTo = (
  connection: PlatformConnection,
  store: Options['store'],
  timing: Options['timing'],
): Delivery =>
  startDelivery({
    platform: 'province',
    connection,
    store,
    clock: systemClock,
    log: silentLog,
    changed: () => {},
    timing,
  });

/** A platform of which only the sending matters. */
export const connectionOf = (send: PlatformConnection['send']): PlatformConnection => ({
  send,
  ask: async () => ({ kind: 'items', items: [] }),
  probe: async () => ({ ok: true }),
  certificates: () => [],
  close: async () => {},
});

/** Waits for a state, not for a time; the limit only keeps a broken build from hanging. */
export async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  const limit = Date.now() + 30_000;
  while (!(await what())) {
    if (Date.now() > limit) throw new Error('did not come about');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const some = (count: number, from = 1) => Array.from({ length: count }, (_, i) => document(from + i));
export const twice = (platform: FaultPlatform) => [...platform.seen.values()].filter((count) => count > 1).length;
/** Refuses the whole request when `bad` is in it. */
export const wholeWith =
  (bad: (item: WireItem) => boolean, answer: Behaviour): Behaviour =>
  (call) =>
    call.items.some(bad) ? answer(call) : call.accept();
