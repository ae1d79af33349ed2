// Talks to mongod in bytes, to insert documents as the bytes they are: the driver would first make objects of them, and lose the types and bit
// patterns that this is about. One OP_MSG out, one back.
// https://github.com/mongodb/specifications/blob/master/source/message/OP_MSG.md
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { BSON } from 'bson';

const OP_MSG = 2013;
const HEADER_BYTES = 16;
const FLAG_BYTES = 4;

export interface WriteError {
  /** Of the document among those sent. */
  readonly index: number;
  readonly code: number;
  readonly errmsg: string;
}

/** One connection to one mongod without access control. */
export class RawConnection {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  /** Inserts every document that the server takes, and returns its errors for the others. */
  async insert(database: string, collection: string, documents: readonly Buffer[]): Promise<readonly WriteError[]> {
    const reply = await this.command({ insert: collection, ordered: false, $db: database }, documents);
    const errors = (reply['writeErrors'] as Buffer[] | undefined) ?? [];
    return errors.map((error) => readShallow(error) as WriteError);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Runs any command, with the documents of an insert beside it. */
  async command(command: BSON.Document, documents: readonly Buffer[] = []): Promise<BSON.Document> {
    const body = Buffer.concat([Buffer.alloc(FLAG_BYTES), Buffer.of(0), BSON.serialize(command), ...documentSequence(documents)]);
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeInt32LE(HEADER_BYTES + body.length, 0);
    header.writeInt32LE(OP_MSG, 12);
    this.#socket.write(Buffer.concat([header, body]));
    const message = await this.#receive();
    const reply = readShallow(message.subarray(HEADER_BYTES + FLAG_BYTES + 1));
    if (reply['ok'] !== 1) throw new Error(`mongod answered: ${JSON.stringify(reply)}`);
    return reply;
  }

  async #receive(): Promise<Buffer> {
    let message = Buffer.alloc(0);
    while (message.length < HEADER_BYTES || message.length < message.readInt32LE(0)) {
      const [chunk] = (await once(this.#socket, 'data')) as [Buffer];
      message = Buffer.concat([message, chunk]);
    }
    return message;
  }
}

/** Embedded documents stay bytes: errors quote the ids, which the driver's reader would refuse. */
function readShallow(document: Buffer): BSON.Document {
  return BSON.deserialize(document, { raw: true, validation: { utf8: false } });
}

/** The section of kind 1 that carries an insert's documents; none when there are none. */
function documentSequence(documents: readonly Buffer[]): Buffer[] {
  if (documents.length === 0) return [];
  const name = Buffer.from('documents\0');
  const size = Buffer.alloc(4);
  size.writeInt32LE(documents.reduce((bytes, document) => bytes + document.length, size.length + name.length));
  return [Buffer.of(1), size, name, ...documents];
}
