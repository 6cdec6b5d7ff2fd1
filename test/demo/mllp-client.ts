import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A sender as hospital systems have one: one connection, one message at a time, waits for the answer. */
export interface MllpClient {
  /**
   * Sends one message (without framing) and gives MSA-1 of its answer. Rejects when the connection
   * breaks, is refused, or no answer comes in time; the message may then have arrived all the same.
   */
  send(message: Uint8Array, controlId: string): Promise<string>;
  close(): void;
}

/** `localAddress` makes senders tell apart on one machine, where the system allows it. */
export function makeMllpClient(
  target: { host: string; port: number },
  { localAddress, timeoutMs = 10_000 }: { localAddress?: string; timeoutMs?: number } = {},
): MllpClient {
  let socket: Socket | undefined;
  let own = localAddress;

  async function open(): Promise<Socket> {
    if (socket !== undefined && !socket.destroyed) return socket;
    const opening = connect({ ...target, ...(own === undefined ? {} : { localAddress: own }) });
    try {
      await once(opening, 'connect');
    } catch (error) {
      // Not every system has all of 127.0.0.0/8.
      if (['EADDRNOTAVAIL', 'EINVAL'].includes(String((error as NodeJS.ErrnoException).code))) own = undefined;
      throw error;
    }
    opening.on('error', () => {});
    socket = opening;
    return opening;
  }

  return {
    async send(message, controlId) {
      const stream = await open();
      const answer = new Promise<string>((resolve, reject) => {
        let text = '';
        const settle = (finish: () => void) => {
          clearTimeout(timer);
          stream.off('data', take);
          stream.off('close', gone);
          finish();
        };
        const fail = () => {
          stream.destroy();
          reject(new Error('no acknowledgement'));
        };
        const gone = () => settle(fail);
        const take = (chunk: Buffer) => {
          text += chunk.toString('latin1');
          const end = text.indexOf('\x1c\r');
          if (end < 0) return;
          const msa = /\rMSA\|([^|\r]*)\|([^|\r]*)/.exec(text.slice(0, end));
          if (msa?.[2] === controlId) settle(() => resolve(msa[1] ?? ''));
          else settle(fail);
        };
        const timer = setTimeout(gone, timeoutMs);
        stream.on('data', take);
        stream.on('close', gone);
      });
      stream.write(Buffer.concat([Buffer.of(0x0b), message, Buffer.of(0x1c, 0x0d)]));
      return answer;
    },
    close() {
      socket?.destroy();
    },
  };
}
