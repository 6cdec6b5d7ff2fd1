import { Hl7Server } from '@medplum/hl7';
import { choosePort } from '../platform/ports.ts';

/** The peer: @medplum/hl7 as its README shows it. Parses each message and acknowledges it from memory; nothing is stored. */
const server = new Hl7Server((connection) => {
  connection.addEventListener('message', ({ message }) => connection.send(message.buildAck()));
});
const port = await choosePort();
await server.start(port, 'utf-8');
process.send?.({ port });
process.on('disconnect', () => process.exit(0));
