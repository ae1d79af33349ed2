// The sockets of a Kafka client, as kafkajs makes them, but without Nagle's algorithm: with it the end of a request that fills more than one
// packet waits until the broker has acknowledged the rest, which it may put off for 40 ms. Other clients send at once too.
import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';

const KEEP_ALIVE_DELAY_MS = 60_000;

export const promptSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = ssl ? connectTls({ host, port, ...servername, ...ssl }, onConnect) : connect({ host, port }, onConnect);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
  // kafkajs ends a connection whenever it hears of a failure, and lets go of its socket each time: of one that is closed Node keeps that for when it is connected
  // again, which no socket is, and warns of a leak after ten.
  const unref = socket.unref.bind(socket);
  socket.unref = () => (socket.destroyed ? socket : unref());
  return socket;
};
