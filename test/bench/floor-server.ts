import { createServer } from 'node:net';

/**
 * The floor: finds frames, reads nothing but MSH-10, answers AA. No checks, no store. What is above it
 * in the table is the price of the product.
 */
const end = Buffer.from('\x1c\r', 'latin1');
let acks = 0;
const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  let held: Buffer | undefined;
  socket.on('data', (chunk) => {
    const bytes = held === undefined ? chunk : Buffer.concat([held, chunk]);
    let at = 0;
    for (;;) {
      const stop = bytes.indexOf(end, at);
      if (stop < 0) break;
      const msh = bytes.toString('latin1', at + 1, bytes.indexOf(0x0d, at));
      const fields = msh.split('|');
      socket.write(
        `\x0bMSH|^~\\&|FLOOR||${fields[2]}|${fields[3]}|${fields[6]}||ACK^R01^ACK|F${acks++}|P|2.4\rMSA|AA|${fields[9]}\r\x1c\r`,
        'latin1',
      );
      at = stop + end.length;
    }
    held = at < bytes.length ? bytes.subarray(at) : undefined;
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined });
});
process.on('disconnect', () => process.exit(0));
