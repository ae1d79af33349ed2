// Removes the group of a reader that is done; the broker would do so by itself after days.
import { setTimeout as delay } from 'node:timers/promises';
import type { KafkaClient } from '@tailwater/runtime';

export async function forgetGroup(kafka: KafkaClient, groupId: string): Promise<void> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        await admin.deleteGroups([groupId]);
        return;
      } catch {
        // The member's leaving may not have arrived yet.
        await delay(50);
      }
    }
  } catch {
    // An empty group costs nothing and expires: not worth a failure.
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
