// A certificate authority for a test, with what it signs: good certificates and those that something is wrong with.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Paths of PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** Both in one file, as mongod and Kafka want them. */
  readonly both: string;
}

export interface CertificateOptions {
  /** `O=shop,CN=reader`; the common name alone by default. */
  readonly subject?: string;
  /** `IP:127.0.0.1` by default: what tests connect to. */
  readonly names?: string;
  /** It was valid until yesterday. */
  readonly expired?: boolean;
}

const DAY_MS = 86_400_000;

export class Certificates implements AsyncDisposable {
  readonly directory: string;
  /** PEM file of the authority's own certificate. */
  readonly ca: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.ca = join(directory, 'ca.pem');
  }

  static async create(): Promise<Certificates> {
    const authority = new Certificates(await mkdtemp(join(tmpdir(), 'certificates-')));
    await authority.#selfSign();
    return authority;
  }

  /** Makes a key and a certificate for it, good for servers and clients. */
  async issue(name: string, options: CertificateOptions = {}): Promise<Certificate> {
    const { subject = `CN=${name}`, names = 'IP:127.0.0.1', expired = false } = options;
    const [cert, key, both] = [this.file(`${name}.pem`), this.file(`${name}.key`), this.file(`${name}.both.pem`)];
    await this.#openssl(
      'req',
      '-new',
      ...KEY,
      '-keyout',
      key,
      '-subj',
      `/${subject.replaceAll(',', '/')}`,
      '-out',
      this.file(`${name}.csr`),
    );
    const [from, to] = expired ? [-2, -1] : [-1, 2];
    await writeFile(this.file(`${name}.ext`), `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n`);
    const validity = ['-startdate', asn1Time(from), '-enddate', asn1Time(to)];
    const files = ['-in', this.file(`${name}.csr`), '-out', cert, '-extfile', this.file(`${name}.ext`)];
    await this.#openssl('ca', '-batch', '-notext', '-config', this.file('ca.cnf'), ...validity, ...files);
    await writeFile(both, `${await readFile(key, 'utf8')}${await readFile(cert, 'utf8')}`);
    return { cert, key, both };
  }

  /** The same key behind a password. */
  async encryptKey({ key }: Certificate, password: string): Promise<string> {
    const encrypted = `${key}.encrypted`;
    await this.#openssl('pkcs8', '-topk8', '-in', key, '-passout', `pass:${password}`, '-out', encrypted);
    return encrypted;
  }

  /** The certificate as nobody wants it here. */
  async der({ cert }: Certificate): Promise<string> {
    await this.#openssl('x509', '-in', cert, '-outform', 'der', '-out', `${cert}.der`);
    return `${cert}.der`;
  }

  /** A PKCS #12 store, for servers in Java. */
  async keyStore({ cert, key }: Certificate, password: string): Promise<string> {
    const store = `${cert}.p12`;
    await this.#openssl('pkcs12', '-export', '-in', cert, '-inkey', key, '-passout', `pass:${password}`, '-out', store);
    return store;
  }

  file(name: string): string {
    return join(this.directory, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  async #selfSign(): Promise<void> {
    const config = [
      '[ca]',
      'default_ca=test',
      '[test]',
      `database=${this.file('index.txt')}`,
      `new_certs_dir=${this.directory}`,
      `certificate=${this.ca}`,
      `private_key=${this.file('ca.key')}`,
      'rand_serial=yes',
      'default_md=sha256',
      'policy=any',
      'unique_subject=no',
      'preserve=yes',
      '[any]',
      'organizationName=optional',
      'organizationalUnitName=optional',
      'commonName=supplied',
    ];
    await Promise.all([writeFile(this.file('ca.cnf'), `${config.join('\n')}\n`), writeFile(this.file('index.txt'), '')]);
    await this.#openssl('req', '-x509', ...KEY, '-days', '2', '-subj', '/CN=Test CA', '-keyout', this.file('ca.key'), '-out', this.ca);
  }

  async #openssl(...args: string[]): Promise<void> {
    await run('openssl', args, { cwd: this.directory });
  }
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** `20250101120000Z`, so many days from now. */
function asn1Time(days: number): string {
  return `${new Date(Date.now() + days * DAY_MS)
    .toISOString()
    .replace(/[-:T]|\.\d+/g, '')
    .slice(0, 14)}Z`;
}
