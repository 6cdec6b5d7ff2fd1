import assert from 'node:assert/strict';
import { makeMllpClient } from '../demo/mllp-client.ts';
import { playScenes, type Scene } from '../demo/script.ts';
import { encodeScene } from '../demo/traffic.ts';
import type { Rig } from './rig.ts';

export interface Played {
  scenes: Scene[];
  /** How many of them have to become a document. */
  documents: number;
}

/** Sends the demo's hospital traffic, every kind of scene at least once; each is acknowledged AA. */
export async function playHospital(rig: Rig, count: number): Promise<Played> {
  const client = makeMllpClient(rig.mllp);
  const scenes: Scene[] = [];
  for (const scene of playScenes(Date.now())) {
    if (scenes.length === count) break;
    assert.equal(await client.send(encodeScene(scene), scene.controlId), 'AA');
    scenes.push(scene);
  }
  client.close();
  assert.equal(new Set(scenes.map(({ kind }) => kind)).size, 9);
  const silent: Array<Scene['kind']> = ['interim', 'without-visit', 'unmapped-code', 'retransmission'];
  return { scenes, documents: scenes.filter(({ kind }) => !silent.includes(kind)).length };
}

/** What a scene says of the report, read field by field from the text before it was encoded. */
export interface Said {
  report: string;
  name: string;
  residentId: string;
  /** Code, name, value, unit, range and flag of each item, escapes resolved. */
  rows: string[][];
}

const plain = (text: string): string =>
  text.replace(/\\([FSTRE])\\/g, (_, letter: string) => ({ F: '|', S: '^', T: '&', R: '~', E: '\\' })[letter]!);

/** Reads a scene; its writer's delimiters and places (test/demo/messages.ts) are known. */
export function saidBy(scene: Scene): Said {
  const segments = scene.text.split('\r').map((line) => line.split('|'));
  const [pid, obr] = ['PID', 'OBR'].map((name) => segments.find((fields) => fields[0] === name)!);
  return {
    report: obr![20]!,
    name: pid![5]!,
    residentId: /([0-9X]+)\^\^\^\^IdentifyNO/.exec(pid![3]!)![1]!,
    rows: segments
      .filter((fields) => fields[0] === 'OBX')
      .map((fields) => [...fields[3]!.split('^'), ...[5, 6, 7, 8].map((at) => plain(fields[at] ?? ''))]),
  };
}
