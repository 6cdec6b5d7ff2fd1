import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { choosePort } from '../../platform/ports.ts';
import { end, startChild } from '../process.ts';
import type { Receiver } from './sender.ts';

/** dcmjs-dimse is fetched for the run: 40 MB that nothing but this benchmark wants. No scripts of packages run. */
const dimseVersion = '0.3.3';

/** Fetches it into `folder`; false when there is no registry to fetch from. */
export async function fetchDimse(folder: string): Promise<boolean> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const words = ['install', '--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
  try {
    await promisify(execFile)('npm', [...words, `dcmjs-dimse@${dimseVersion}`], { cwd: folder, timeout: 120_000 });
    return true;
  } catch {
    return false;
  }
}

export async function startDimse(modules: string, folder: string): Promise<Receiver> {
  const { child, ready } = await startChild<{ port: number }>({
    script: 'images/dimse-server.ts',
    given: [modules, folder],
  });
  return {
    name: 'dcmjs-dimse',
    pid: child.pid!,
    port: ready.port,
    async stored() {
      child.send('stored');
      const [answer] = (await once(child, 'message')) as [{ stored: number }];
      return answer.stored;
    },
    stop: () => end(child),
  };
}

/** Debian's storescp, the bytes of the dataset written as they come (`+B`); it syncs nothing. */
export async function startStorescp(folder: string): Promise<Receiver> {
  mkdirSync(folder, { recursive: true });
  const port = await choosePort();
  const child = spawn('setpriv', [...withUs, 'storescp', '-q', '+B', '-pdu', '131072', '-od', folder, String(port)], {
    stdio: 'ignore',
  });
  await listening(port, () => child.exitCode !== null);
  return {
    name: 'storescp',
    pid: child.pid!,
    port,
    stored: async () => readdirSync(folder).length,
    stop: () => end(child),
  };
}

/** Debian's Orthanc as an archive for devices; files and index synced, which is its default. */
export async function startOrthancScp(folder: string): Promise<Receiver> {
  mkdirSync(folder, { recursive: true });
  const port = await choosePort();
  const http = await choosePort([port]);
  const settings = {
    Name: 'BENCH',
    StorageDirectory: join(folder, 'db'),
    IndexDirectory: join(folder, 'db'),
    HttpPort: http,
    RemoteAccessAllowed: false,
    AuthenticationEnabled: false,
    DicomServerEnabled: true,
    DicomPort: port,
    DicomAet: 'QIANZHI',
    // Its ports are open to all: only this machine may store.
    DicomAlwaysAllowStore: false,
    DicomCheckModalityHost: true,
    DicomModalities: { device: ['DEVICE', '127.0.0.1', 104] },
    DefaultEncoding: 'Utf8',
  };
  const config = join(folder, 'orthanc.json');
  writeFileSync(config, JSON.stringify(settings));
  const child = spawn('setpriv', [...withUs, '/usr/sbin/Orthanc', config], { stdio: 'ignore' });
  await listening(port, () => child.exitCode !== null);
  return {
    name: 'orthanc',
    pid: child.pid!,
    port,
    async stored() {
      const answer = await fetch(`http://127.0.0.1:${http}/statistics`);
      return ((await answer.json()) as { CountInstances: number }).CountInstances;
    },
    stop: () => end(child),
  };
}

/** Whatever becomes of this process, the program ends with it. */
const withUs = ['--pdeathsig', 'KILL', '--'];

export const peerPrograms = ['/usr/bin/storescp', '/usr/bin/dcmsend', '/usr/sbin/Orthanc'].every(existsSync);

async function listening(port: number, ended: () => boolean): Promise<void> {
  for (const until = performance.now() + 30_000; performance.now() < until && !ended(); await sleep(50)) {
    const socket = connect({ host: '127.0.0.1', port });
    const connected = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (connected) return;
  }
  throw new Error(`nothing listens on ${port}`);
}
