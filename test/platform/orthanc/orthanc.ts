import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePki, type Pki } from '../pki.ts';
import { choosePort } from '../ports.ts';

const program = '/usr/sbin/Orthanc';
const plugin = '/usr/share/orthanc/plugins/libOrthancDicomWeb.so';
const nginx = '/usr/sbin/nginx';

/** For `{ skip }`: false when Debian's packages are there. */
export const skipOrthanc: string | false = [program, plugin, nginx].every(existsSync)
  ? false
  : 'needs Debian’s Orthanc (apt-get install orthanc orthanc-dicomweb nginx-light)';

export interface Orthanc {
  /** Base address for a `dicomweb` platform: DICOMweb behind mutual TLS. */
  url: string;
  /** PEM files for a client. */
  tls: { ca: string; cert: string; key: string };
  pki: Pki;
  /** Instances stored. */
  count(): Promise<number>;
  /** The stored Part 10 file as Orthanc keeps it; undefined when it has no such instance. */
  instanceFile(sopUid: string): Promise<Buffer | undefined>;
  /** Takes an instance out of the store, if it is there. */
  remove(sopUid: string): Promise<void>;
  /** JSON of Orthanc's own REST interface. */
  rest(path: string): Promise<unknown>;
  stop(): Promise<void>;
}

/**
 * Starts Debian's Orthanc with its DICOMweb plugin, and nginx in front for mutual TLS: Debian 12's Orthanc crashes on
 * the first valid client certificate (reference/dicom.md §1.3). What it stores lies under `folder`; started there
 * again after `stop`, it has the same data, certificates and address. Loopback only, as far as Orthanc can be told: its
 * port refuses other machines. Both programs end with this process.
 */
export async function startOrthanc({ folder }: { folder: string }): Promise<Orthanc> {
  mkdirSync(folder, { recursive: true });
  const pki = ensurePki(join(folder, 'pki'));
  const ports = await keptPorts(join(folder, 'ports.json'));
  const settings = {
    Name: 'REGION-CLOUD',
    StorageDirectory: join(folder, 'db'),
    IndexDirectory: join(folder, 'db'),
    Plugins: [plugin],
    HttpServerEnabled: true,
    HttpPort: ports.inner,
    HttpThreadsCount: 10,
    RemoteAccessAllowed: false,
    AuthenticationEnabled: false,
    DicomServerEnabled: false,
    // Latin1, which it takes otherwise, loses Chinese names (reference/dicom.md §1.4).
    DefaultEncoding: 'Utf8',
    OverwriteInstances: false,
    DicomWeb: { Enable: true, Root: '/dicom-web/', EnableWado: true, Ssl: true },
  };
  writeFileSync(join(folder, 'orthanc.json'), JSON.stringify(settings));
  writeFileSync(join(folder, 'nginx.conf'), nginxConf(folder, pki, ports));

  const children = [
    launch(program, [join(folder, 'orthanc.json')], join(folder, 'orthanc.log'), { TCP_NODELAY: '1' }),
    launch(nginx, ['-c', join(folder, 'nginx.conf'), '-e', join(folder, 'nginx.log')], join(folder, 'nginx.log'), {}),
  ];
  const inner = `http://127.0.0.1:${ports.inner}`;

  async function get(path: string): Promise<Response> {
    const answer = await fetch(`${inner}${path}`);
    if (!answer.ok) throw new Error(`Orthanc answers ${answer.status} to GET ${path.replace(/\d{3,}/g, '…')}`);
    return answer;
  }

  /** Orthanc's own name of an instance. */
  async function idOf(sopUid: string): Promise<string | undefined> {
    const answer = await fetch(`${inner}/tools/lookup`, { method: 'POST', body: sopUid });
    const found = (await answer.json()) as Array<{ Type: string; ID: string }>;
    return found.find(({ Type }) => Type === 'Instance')?.ID;
  }

  async function stop(): Promise<void> {
    await Promise.all(children.map((child, i) => end(child, i === 1 ? 'SIGTERM' : 'SIGINT')));
  }

  try {
    await answering(inner, children);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `https://localhost:${ports.outer}/dicom-web`,
    tls: { ca: pki.ca, cert: pki.clientCert, key: pki.clientKey },
    pki,
    count: async () => ((await (await get('/statistics')).json()) as { CountInstances: number }).CountInstances,
    async instanceFile(sopUid) {
      const id = await idOf(sopUid);
      return id === undefined ? undefined : Buffer.from(await (await get(`/instances/${id}/file`)).arrayBuffer());
    },
    async remove(sopUid) {
      const id = await idOf(sopUid);
      if (id !== undefined) await fetch(`${inner}/instances/${id}`, { method: 'DELETE' });
    },
    rest: async (path) => (await get(path)).json(),
    stop,
  };
}

/** Ports chosen at the first start and kept: a client must find the same address after a restart. */
async function keptPorts(file: string): Promise<{ inner: number; outer: number }> {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
  const inner = await choosePort();
  const ports = { inner, outer: await choosePort([inner]) };
  writeFileSync(file, JSON.stringify(ports));
  return ports;
}

/** As sites put it in front: nothing buffered, no limit on size, only certificates of the CA. */
const nginxConf = (folder: string, pki: Pki, ports: { inner: number; outer: number }): string => `
daemon off;
master_process off;
pid ${join(folder, 'nginx.pid')};
error_log ${join(folder, 'nginx.log')};
events { worker_connections 256; }
http {
  access_log off;
  client_max_body_size 0;
  client_body_temp_path ${join(folder, 'nginx-body')};
  proxy_temp_path ${join(folder, 'nginx-proxy')};
  fastcgi_temp_path ${join(folder, 'nginx-fastcgi')};
  uwsgi_temp_path ${join(folder, 'nginx-uwsgi')};
  scgi_temp_path ${join(folder, 'nginx-scgi')};
  proxy_request_buffering off;
  proxy_read_timeout 300s;
  server {
    listen 127.0.0.1:${ports.outer} ssl;
    ssl_certificate ${pki.serverCert};
    ssl_certificate_key ${pki.serverKey};
    ssl_client_certificate ${pki.ca};
    ssl_verify_client on;
    ssl_protocols TLSv1.2 TLSv1.3;
    location / {
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_pass http://127.0.0.1:${ports.inner};
    }
  }
}
`;

function launch(command: string, args: string[], log: string, env: Record<string, string>): ChildProcess {
  const out = openSync(log, 'a');
  try {
    // Whatever becomes of this process, the programs end with it.
    return spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
      stdio: ['ignore', out, out],
      env: { ...process.env, ...env },
    });
  } finally {
    closeSync(out);
  }
}

async function answering(inner: string, children: ChildProcess[]): Promise<void> {
  const until = performance.now() + 60_000;
  while (performance.now() < until) {
    if (children.some((child) => child.exitCode !== null || child.signalCode !== null)) break;
    const up = await fetch(`${inner}/system`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('Orthanc or nginx did not start: see orthanc.log and nginx.log in its folder');
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGINT'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  const hard = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await gone;
  clearTimeout(hard);
}
