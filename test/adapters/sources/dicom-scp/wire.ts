import { connect, createServer } from 'node:net';
import type { Test } from 'tap';

/** What a device put on the wire, read without any code of ours: the oracle for bytes that must not change. */
export interface Wire {
  port: number;
  /** The datasets sent, in the order of their ends. */
  datasets(): Buffer[];
}

/** The datasets in what one side of an association sent (PS3.8 §9.3.5, Annex E.2). */
export function datasetsIn(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  let parts: Buffer[] = [];
  for (let at = 0; at + 6 <= bytes.length; ) {
    const end = at + 6 + bytes.readUInt32BE(at + 2);
    if (bytes[at] === 4)
      for (let pdv = at + 6; pdv < end; ) {
        const next = pdv + 4 + bytes.readUInt32BE(pdv);
        const control = bytes[pdv + 5] ?? 0;
        if ((control & 1) === 0) {
          parts.push(bytes.subarray(pdv + 6, next));
          if (control & 2) {
            found.push(Buffer.concat(parts));
            parts = [];
          }
        }
        pdv = next;
      }
    at = end;
  }
  return found;
}

/** A wire to the listener that remembers what the devices said. */
export async function tapWire(t: Pick<Test, 'teardown'>, port: number): Promise<Wire> {
  const said: Buffer[][] = [];
  const server = createServer((device) => {
    const heard: Buffer[] = [];
    said.push(heard);
    const listener = connect(port, '127.0.0.1');
    device.setNoDelay(true);
    listener.setNoDelay(true);
    device.on('data', (chunk) => heard.push(chunk));
    device.pipe(listener).pipe(device);
    device.on('error', () => listener.destroy());
    listener.on('error', () => device.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const address = server.address();
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    datasets: () => said.flatMap((heard) => datasetsIn(Buffer.concat(heard))),
  };
}
