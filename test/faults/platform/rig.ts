import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { httpsConfig } from '../../../adapters/platforms/https/config.ts';
import { openHttps } from '../../../adapters/platforms/https/platform.ts';
import type { Timing } from '../../../adapters/platforms/mutual-tls/exchange.ts';
import type { Delivery } from '../../../agent/delivery/deliver.ts';
import type { PlatformConnection } from '../../../agent/delivery/platform.ts';
import { collectProblems } from '../../../agent/status/problems.ts';
import type { OutboxDocument, State } from '../../../agent/store/contract.ts';
import { systemClock } from '../../../agent/support/clock.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { phi } from '../../../agent/support/phi.ts';
import { deliverTo } from '../../agent/delivery/rig.ts';
import { record, storeRig } from '../../agent/store/rig.ts';
import { createPki, type Pki, type PkiOptions, reissue } from '../../platform/pki.ts';
import { type Province, type ProvinceOptions, startProvince } from '../../platform/province.ts';
import type { Sidecar } from '../../platform/received.ts';
import { type Line, startLine } from './line.ts';

/** The host name that only this test resolves, so that it can stop resolving. */
export const hostName = 'province.invalid';

/** One call of the delivery loop and what came of it. */
export interface Call {
  kind: 'probe' | 'send' | 'ask';
  keys: Map<string, string>;
  /** Undefined while it is under way. */
  result?: string;
  /** Monotonic. */
  startedMs: number;
}

/** A report as a message brings it; `bytes` in hexadecimal fill its document. */
export interface Report {
  report: string;
  patient: string;
  version?: number;
  bytes?: number;
}

/** A report that a message brought. */
export interface Handed {
  report: string;
  seq: number;
  sha256: string;
}

/** Store, delivery loop, https platform, line and province, all real, and words for what a test does with them. */
export interface PlatformRig {
  store: Awaited<ReturnType<typeof storeRig>>['store'];
  province: Province;
  line: Line;
  pki: Pki;
  /** The agent's own copies of its three files. */
  own: { ca: string; cert: string; key: string };
  calls: Call[];
  /** New pairs under the same CA; the server shows its own after a restart of its listener. */
  renew(options: PkiOptions): Promise<void>;
  /** The newest TLS version that the platform speaks, from now on. */
  speak(maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<void>;
  /** A platform of somebody else, with a CA of its own. */
  stranger: Pki;
  /** The platform trusts the clients of this CA only, from now on. */
  trustOnly(ca: string): Promise<void>;
  /** Puts the client's pair and the CA of `from` where the agent reads them. */
  install(from: Pki): void;
  /** Messages arrive, are mapped and rendered; one report a message, one document a report. */
  hand(...reports: Report[]): Promise<Handed[]>;
  /** The same for a message that has arrived. */
  render(seq: number, report: Report): Promise<Handed>;
  /** Restarts with another limit of connecting and of a whole exchange, in milliseconds; patient without argument. */
  limitExchange(ms?: number): Promise<void>;
  wake(): void;
  delivery(): Delivery;
  /** Ends loop and connection, and starts both anew. */
  restart(url?: string): Promise<void>;
  stop(): Promise<void>;
  start(url?: string): Promise<void>;
  stateOf(handed: Handed): Promise<{ state: State; code?: string }>;
  /** Codes that the status page shows for the platform, with how many it counts under each. */
  shown(): Promise<Map<string, number>>;
  accepted(report: string): Array<Sidecar & { sha256: string }>;
  /** How often the platform read the document of the report off the wire. */
  arrivals(report: string): number;
  /** Keys under which the agent sent the report, ever. */
  keys(report: string): string[];
}

/** Patient, for a busy machine; a case whose fault is silence shortens the exchange. */
const patientMs = 30_000;

export async function platformRig(t: Test): Promise<PlatformRig> {
  const folder = t.testdir();
  const rig = await storeRig(join(folder, 'agent'));
  // Older than the expired certificates that it issues: they were valid once.
  const pki = createPki(join(folder, 'platform'), { serverNames: [hostName], caAgeMs: 4 * 86_400_000 });
  const stranger = createPki(join(folder, 'stranger'), { serverNames: [hostName] });
  const own = {
    ca: join(folder, 'own', 'ca.pem'),
    cert: join(folder, 'own', 'c.pem'),
    key: join(folder, 'own', 'c.key'),
  };
  mkdirSync(join(folder, 'own'));
  const install = (from: Pki): void => {
    copyFileSync(from.ca, own.ca);
    copyFileSync(from.clientCert, own.cert);
    copyFileSync(from.clientKey, own.key);
  };
  install(pki);
  const options: ProvinceOptions = {
    folder: join(folder, 'province'),
    tls: { cert: pki.serverCert, key: pki.serverKey, ca: pki.ca },
    minVersion: 'TLSv1.2',
  };
  const province = await startProvince(options);
  const listenAnew = async (): Promise<void> => {
    await province.down();
    await province.up();
  };
  const line = await startLine(province.port);
  const calls: Call[] = [];
  const timing: Timing = { connectMs: 10_000, answerMs: 20_000, exchangeMs: patientMs, certificateCheckMs: 0 };
  let connection: PlatformConnection | undefined;
  let delivery: Delivery | undefined;

  /** Writes down what is called and what comes back; changes nothing. */
  function witnessed(real: PlatformConnection): PlatformConnection {
    const watch =
      (kind: 'send' | 'ask') =>
      async (documents: OutboxDocument[], signal: AbortSignal): ReturnType<PlatformConnection['send']> => {
        const keys = new Map(documents.map((d) => [d.reportNumber.reveal(), d.key]));
        const call: Call = { kind, keys, startedMs: performance.now() };
        calls.push(call);
        const result = await real[kind](documents, signal);
        call.result = result.kind === 'items' ? 'items' : result.code;
        return result;
      };
    return {
      ...real,
      send: watch('send'),
      ask: watch('ask'),
      async probe(signal) {
        const call: Call = { kind: 'probe', keys: new Map(), startedMs: performance.now() };
        calls.push(call);
        const result = await real.probe(signal);
        call.result = result.ok ? 'ok' : result.code;
        return result;
      },
    };
  }

  async function start(url = `https://${hostName}:${line.port}`): Promise<void> {
    connection = witnessed(
      await openHttps(
        { name: 'province', clock: systemClock, log: silentLog, agentId: 'agent-1' },
        httpsConfig.parse({ url, tls: own }),
        timing,
      ),
    );
    delivery = deliverTo(connection, rig.store, {
      retry: { baseMs: 20, maxMs: 60 },
      probeMs: 40,
      lingerMs: 5,
    });
  }
  async function stop(): Promise<void> {
    await delivery?.stop();
    await connection?.close();
    delivery = undefined;
  }
  async function render(seq: number, { report, patient, version = 1, bytes = 600 }: Report): Promise<Handed> {
    await rig.map(seq, record(report, version, { patient }));
    const filling = randomBytes(bytes).toString('hex');
    const content = Buffer.from(
      `<ClinicalDocument><id extension="${report}-${version}"/>${filling}</ClinicalDocument>`,
    );
    const [entry] = [...rig.view.journal('province', 1)];
    if (entry === undefined) throw new Error('nothing to render');
    const rendered = {
      kind: 'document' as const,
      type: 'C0007',
      mediaType: 'application/xml',
      bytes: phi(new Uint8Array(content)),
      reportNumber: phi(report),
      findings: [],
    };
    await rig.view.commitRendering('province', entry.jseq, [{ jseq: entry.jseq, rendered }], 0);
    return { report, seq, sha256: createHash('sha256').update(content).digest('hex') };
  }
  t.teardown(async () => {
    await stop();
    await line.down();
    await province.stop();
    await rig.close();
  });

  await start();
  return {
    store: rig.store,
    province,
    line,
    pki,
    own,
    calls,
    async renew(variant) {
      reissue(pki, { serverNames: [hostName], ...variant });
      await listenAnew();
    },
    stranger,
    async trustOnly(ca) {
      options.tls.ca = ca;
      await listenAnew();
    },
    async speak(maxVersion) {
      options.maxVersion = maxVersion;
      await listenAnew();
    },
    install,
    render,
    async hand(...reports) {
      const handed: Handed[] = [];
      for (const one of reports) {
        const { report, version = 1 } = one;
        const { seq, outcome } = await rig.accept(`MSH|^~\\&|LIS|LAB|||20260101||ORU^R01|${report}-${version}|P|2.4`);
        if (outcome !== 'stored') throw new Error(`${report} was not stored`);
        handed.push(await render(seq, one));
      }
      return handed;
    },
    async limitExchange(ms = patientMs) {
      await stop();
      timing.connectMs = Math.min(ms, 10_000);
      timing.exchangeMs = ms;
      await start();
    },
    wake: () => delivery?.wake(),
    delivery: () => {
      if (delivery === undefined) throw new Error('no delivery is running');
      return delivery;
    },
    async restart(url) {
      await stop();
      await start(url);
    },
    stop,
    start,
    async stateOf({ seq }) {
      const rows = await rig.store.messages(1, seq + 1);
      const at = rows[0]?.states.find(({ platform }) => platform === 'province');
      if (at === undefined) throw new Error('the message has no state at the platform');
      return { state: at.state, ...(at.code === undefined ? {} : { code: at.code }) };
    },
    async shown() {
      const nowMs = Date.now();
      const figures = await rig.store.figures(nowMs);
      const status = delivery?.status();
      const problems = collectProblems(
        {
          nowMs,
          startedMs: nowMs,
          version: '0',
          site: { name: 's', orgCode: 'o', timeZone: 'Asia/Shanghai' },
          demo: false,
          sources: [],
          platforms: figures.platforms.map((platform) => ({
            ...platform,
            kind: 'https',
            url: '',
            state: status?.state ?? 'starting',
            lastError: status?.lastError,
            clockOffsetMs: status?.clockOffsetMs,
            // Their dates are on the page as well; here only what the fault itself does is asked for.
            certificates: [],
            unverified: [],
          })),
          store: figures,
          problemGroups: await rig.store.problems(100),
          extraProblems: [],
          rates: {},
        } as Parameters<typeof collectProblems>[0],
        undefined,
      );
      const counts = new Map<string, number>();
      for (const { code, component, count } of problems) {
        if (component === 'province') counts.set(code, (counts.get(code) ?? 0) + count);
      }
      return counts;
    },
    accepted: (report) =>
      province
        .received()
        .filter((sidecar) => sidecar.report === report)
        .map((sidecar) => ({
          ...sidecar,
          sha256: createHash('sha256')
            .update(readFileSync(join(province.receivedFolder, `${String(sidecar.n).padStart(6, '0')}.xml`)))
            .digest('hex'),
        })),
    arrivals: (report) => {
      const keys = new Set(calls.flatMap((call) => (call.kind === 'send' ? [call.keys.get(report)] : [])));
      return province
        .requests()
        .filter(({ path }) => path === '/v1/documents')
        .flatMap((request) => request.keys)
        .filter((key) => keys.has(key)).length;
    },
    keys: (report) => [
      ...new Set(
        calls.flatMap((call) => {
          const key = call.keys.get(report);
          return key === undefined ? [] : [key];
        }),
      ),
    ],
  };
}
