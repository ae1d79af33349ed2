// A socket to a syslog server, over UDP or TCP.
import { createSocket } from 'node:dgram';
import { isIPv6, Socket } from 'node:net';
import { Notifier } from '../async/notifier.js';
import type { SyslogAddress } from './syslog-address.js';

const CONNECT_TIMEOUT_MS = 5_000;
const KEEP_ALIVE_MS = 30_000;
/** What TCP has not taken yet, at most. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;
/** A datagram of IPv4 holds 65,507. */
const MAX_DATAGRAM_BYTES = 65_000;

export interface SyslogLink {
  /** False when the message was not taken: there is too much before it. */
  send(message: string): boolean;
  /** Resolves when what was sent is with the network. */
  end(): Promise<void>;
}

export interface LinkEvents {
  /** Something was not sent, or perhaps not; the link lives. */
  onError(error: Error): void;
  /** The link is no more. */
  onLost(error: Error): void;
}

/** @throws Error (rejects) if there is no such host, or no answer */
export const openLink = (address: SyslogAddress, events: LinkEvents): Promise<SyslogLink> =>
  address.protocol === 'udp' ? openUdp(address, events) : openTcp(address, events);

/** Connected, so that the host is looked up once and the system tells if no process listens there. */
function openUdp({ host, port }: SyslogAddress, events: LinkEvents): Promise<SyslogLink> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  socket.unref();
  let sending = 0;
  const sent = new Notifier();
  const link: SyslogLink = {
    send(message) {
      sending += 1;
      socket.send(Buffer.from(message).subarray(0, MAX_DATAGRAM_BYTES), (error) => {
        sending -= 1;
        if (error !== null) events.onError(error);
        sent.notify();
      });
      return true;
    },
    async end() {
      await sent.until(() => sending === 0);
      socket.close();
    },
  };
  return new Promise((resolve, reject) => {
    const refuse = (error: Error) => {
      socket.close();
      reject(error);
    };
    socket.once('error', refuse);
    socket.connect(port, host, () => {
      socket.off('error', refuse);
      socket.on('error', events.onError);
      resolve(link);
    });
  });
}

/** Each message after its length: https://www.rfc-editor.org/rfc/rfc6587#section-3.4.1 */
function openTcp({ host, port }: SyslogAddress, events: LinkEvents): Promise<SyslogLink> {
  const socket = new Socket();
  socket.unref();
  let failure: Error = new Error('the connection was closed');
  const link: SyslogLink = {
    send(message) {
      if (socket.writableLength > MAX_BUFFERED_BYTES) return false;
      socket.write(`${Buffer.byteLength(message)} ${message}`);
      return true;
    },
    end: () => new Promise((resolve) => (socket.destroyed ? resolve() : socket.end(resolve))),
  };
  return new Promise((resolve, reject) => {
    let isOpen = false;
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error(`no answer within ${CONNECT_TIMEOUT_MS / 1000} s`)));
    socket.on('error', (error) => {
      failure = error;
    });
    socket.once('close', () => (isOpen ? events.onLost(failure) : reject(failure)));
    socket.connect(port, host, () => {
      isOpen = true;
      socket.setTimeout(0);
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      // A server says nothing; reading shows when it closes.
      socket.resume();
      resolve(link);
    });
  });
}
