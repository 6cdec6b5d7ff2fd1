/**
 * Preloaded into a command that must open nothing: a listener, a connection, a datagram socket or a
 * database ends the process with a code that no command uses. Files are guarded by Node's own
 * permission model (`--permission` without any right to write).
 */
import dgram from 'node:dgram';
import net from 'node:net';

const refuse = (): never => process.exit(99);
net.Server.prototype.listen = refuse;
net.Socket.prototype.connect = refuse;
dgram.Socket.prototype.bind = refuse;
dgram.Socket.prototype.send = refuse;
