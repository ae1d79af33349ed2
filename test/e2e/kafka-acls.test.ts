// Producer and consumer as users with no more than the rights that docs/07-security.md grants, on a broker that asks for them.
import { readFile } from 'node:fs/promises';
import {
  compareMongo,
  countDifferences,
  type Kafka,
  type Mongo,
  PipelineProcess,
  startKafka,
  startMongo,
  waitFor,
} from '@tailwater/devstack';
import { type AclEntry, AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Certificates } from '#test/support/certificates.js';
import { runCommand } from '#test/support/run-command.js';

const PASSWORD = 'secret';
const OPERATIONS: Readonly<Record<string, AclOperationTypes>> = {
  Create: AclOperationTypes.CREATE,
  Delete: AclOperationTypes.DELETE,
  Describe: AclOperationTypes.DESCRIBE,
  DescribeConfigs: AclOperationTypes.DESCRIBE_CONFIGS,
  Read: AclOperationTypes.READ,
  Write: AclOperationTypes.WRITE,
};
const RESOURCES: Readonly<Record<string, AclResourceTypes>> = {
  topic: AclResourceTypes.TOPIC,
  group: AclResourceTypes.GROUP,
  'transactional-id': AclResourceTypes.TRANSACTIONAL_ID,
};
const COMMAND =
  /^kafka-acls\.sh .*--allow-principal User:(\S+) (.*) --(topic|group|transactional-id) (\S+)( --resource-pattern-type prefixed)?$/gm;

let authority: Certificates;
let source: Mongo;
let target: Mongo;
let kafka: Kafka;
const processes: PipelineProcess[] = [];

beforeAll(async () => {
  authority = await Certificates.create();
  const { both } = await authority.issue('broker');
  const users = Object.fromEntries(['producer', 'search'].map((name) => [name, PASSWORD]));
  [source, target, kafka] = await Promise.all([
    startMongo({}),
    startMongo({ members: 0 }),
    startKafka({ security: { tls: { ca: authority.ca, both }, users, acls: true } }),
  ]);
});
afterAll(async () => {
  await Promise.all(processes.map((process) => process.stop()));
  await Promise.all([source?.stop(), target?.stop(), kafka?.stop(), authority?.[Symbol.asyncDispose]()]);
});

/** What the documentation's commands grant a user, each operation apart. */
async function documentedAcls(user: string): Promise<AclEntry[]> {
  const text = await readFile(new URL('../../docs/07-security.md', import.meta.url), 'utf8');
  return [...text.matchAll(COMMAND)]
    .filter(([, name]) => name === user)
    .flatMap(([, , operations = '', resource = '', resourceName = '', isPrefixed]) =>
      [...operations.matchAll(/--operation (\w+)/g)].map(([, operation = '']) => ({
        principal: `User:${user}`,
        host: '*',
        operation: OPERATIONS[operation] as AclOperationTypes,
        permissionType: AclPermissionTypes.ALLOW,
        resourceType: RESOURCES[resource] as AclResourceTypes,
        resourceName,
        resourcePatternType: isPrefixed === undefined ? ResourcePatternTypes.LITERAL : ResourcePatternTypes.PREFIXED,
      })),
    );
}

const grant = (acl: AclEntry[]) => kafka.withAdmin((admin) => admin.createAcls({ acl }));
const take = (acl: AclEntry[]) => kafka.withAdmin((admin) => admin.deleteAcls({ filters: acl }));

const asUser = (name: string): string[] => [
  ...['--kafka', kafka.listener('saslSsl'), '--kafka-tls-ca', authority.ca],
  ...['--kafka-sasl', 'scram-sha-256', '--kafka-user', name, '--kafka-password', PASSWORD],
];
const produce = (user: string): string[] => [...asUser(user), '--mongo', source.uri, '--include', 'shop.*'];
const consume = (user: string): string[] => [...asUser(user), '--target', 'mongo', '--target-url', target.uri, '--name', 'search'];

async function start(kind: 'producer' | 'consumer', args: string[]): Promise<PipelineProcess> {
  const process = await PipelineProcess.start(kind, args);
  processes.push(process);
  return process;
}

describe('the documented ACLs', () => {
  it('are enough, from the source to a target', async () => {
    await grant([...(await documentedAcls('producer')), ...(await documentedAcls('search'))]);
    const orders = (await source.client()).db('shop').collection<{ _id: number }>('orders');
    await orders.insertMany(Array.from({ length: 100 }, (_, _id) => ({ _id })));
    await start('producer', produce('producer'));
    await start('consumer', consume('search'));
    const [from, to] = await Promise.all([source.client(), target.client()]);
    const inStep = (count: number) =>
      waitFor(() => compareMongo(from, to, 'shop', 'orders'), {
        describe: 'the target to be in step',
        until: (differences) => differences.compared === count && countDifferences(differences) === 0,
        timeoutMs: 150_000,
      });
    await inStep(100);
    await orders.insertOne({ _id: 100 });
    await inStep(101);
    for (const { logFile } of processes) expect(await readFile(logFile, 'utf8')).not.toMatch(/not authorized|AUTHORIZATION/i);
    await Promise.all(processes.splice(0).map((process) => process.stop()));
  });

  it('a topic that may not be read waits for its grant, and says so; the others are applied', async () => {
    const acls = await documentedAcls('search');
    const reads = acls.filter((acl) => acl.resourceType === AclResourceTypes.TOPIC && acl.operation === AclOperationTypes.READ);
    expect(reads).toHaveLength(1);
    const topic = (name: string) =>
      reads.map((acl) => ({ ...acl, resourceName: `tailwater.shop.${name}`, resourcePatternType: ResourcePatternTypes.LITERAL }));
    const database = (await source.client()).db('shop');
    const collections = ['orders', 'hidden'].map((name) => database.collection<{ _id: number }>(name));
    for (const each of collections) await each.insertMany(Array.from({ length: 50 }, (_, n) => ({ _id: 1000 + n })));
    await start('producer', produce('producer'));
    await grant(acls);
    await take(reads);
    await grant(topic('orders'));
    const consumer = await start('consumer', consume('search'));
    const [from, to] = await Promise.all([source.client(), target.client()]);
    const inStep = (name: string) =>
      waitFor(() => compareMongo(from, to, 'shop', name), {
        describe: `${name} to be in step`,
        until: (differences) => differences.compared >= 50 && countDifferences(differences) === 0,
        timeoutMs: 60_000,
      });
    await inStep('orders');
    const { reasons } = await waitFor(async () => (await fetch(`${consumer.url}/readyz`)).json() as Promise<{ reasons?: string[] }>, {
      describe: 'the refusal to be told',
      until: ({ reasons = [] }) => reasons.length > 0,
    });
    expect(reasons).toEqual([expect.stringContaining('does not authorize this user: topic tailwater.shop.hidden')]);
    await grant(topic('hidden'));
    await inStep('hidden');
    await waitFor(async () => (await fetch(`${consumer.url}/readyz`)).status, { describe: 'readiness', until: (status) => status === 200 });
    await Promise.all(processes.splice(0).map((process) => process.stop()));
  });

  it.each([
    ['producer', 'producer', AclResourceTypes.TRANSACTIONAL_ID, 'transactional id'],
    ['consumer', 'search', AclResourceTypes.GROUP, 'consumer group'],
  ] as const)('without one, the %s ends and names what is missing', async (kind, user, resourceType, name) => {
    const acls = await documentedAcls(user);
    const missing = acls.filter((acl) => acl.resourceType === resourceType);
    expect(missing).not.toEqual([]);
    await grant(acls);
    await take(missing);
    const command = kind === 'producer' ? produce(user) : consume(user);
    const { code, stderr } = await runCommand(kind, ['start', ...command]);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining(`TW1208`) });
    expect(stderr).toContain(`does not authorize this user: ${name}`);
  });
});
