// The pins that the package ships belong together: a version that is raised in one place only is noticed here.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { APICURIO, ELASTICSEARCH, KAFKA, SOLR } from '#devstack/artifacts/artifacts.js';
import { parseChecksums } from '#devstack/artifacts/checksums.js';
import { ASSETS } from '#devstack/artifacts/jars.js';

const SETS = [
  { set: KAFKA, jar: `kafka_2.13-${KAFKA.version}.jar` },
  { set: ELASTICSEARCH[8], jar: `elasticsearch-${ELASTICSEARCH[8].version}.jar` },
  { set: ELASTICSEARCH[9], jar: `elasticsearch-${ELASTICSEARCH[9].version}.jar` },
  { set: APICURIO, jar: `apicurio-registry-app-${APICURIO.version}-all.tar.gz` },
  { set: SOLR, jar: `solr-core-${SOLR.version}.jar` },
];

describe.each(SETS)('$set.name $set.version', ({ set, jar }) => {
  it('is the version of its pom', async () => {
    const pom = await readFile(join(ASSETS, set.assets, 'pom.xml'), 'utf8');
    expect(pom).toContain(`<version>${set.version}</version>`);
  });

  it('has its jar among the pinned ones', async () => {
    const pins = parseChecksums(await readFile(join(ASSETS, set.assets, 'jars.sha256'), 'utf8'));
    expect([...pins.keys()]).toContain(jar);
  });
});
