// Names of topics by example; their properties are in test/property, and a broker has its say in test/integration.
import {
  checkpointTopicName,
  deadLetterTopicName,
  isTopicPrefix,
  MAX_TOPIC_NAME_LENGTH,
  namespaceOfTopic,
  topicName,
} from '@tailwater/schema';
import { describe, expect, it } from 'vitest';

describe('topicName', () => {
  it.each([
    ['shop', 'orders', 'tw.shop.orders'],
    ['shop', 'order_items', 'tw.shop.order_items'],
    ['Shop-1', 'Orders-2024', 'tw.Shop-1.Orders-2024'],
    // What Kafka does not take.
    ['shop', 'order items', 'tw.shop.order_x20_items'],
    ['shop', 'bestellungen für', 'tw.shop.bestellungen_x20_f_xc3__xbc_r'],
    ['店', '注文', 'tw._xe5__xba__x97_._xe6__xb3__xa8__xe6__x96__x87_'],
    // What Kafka takes, but not beside a topic that differs from it in `.` and `_` only.
    ['shop', 'fs.files', 'tw.shop.fs_x2e_files'],
    ['shop_eu', 'orders', 'tw.shop_x5f_eu.orders'],
    // What would read as an escape.
    ['shop', 'order_x20_items', 'tw.shop.order_x5f_x20_items'],
    ['shop', 'max_x', 'tw.shop.max_x5f_x'],
    ['shop', 'x20_', 'tw.shop._x78_20_'],
    ['shop', 'xdata', 'tw.shop.xdata'],
    // What would read as a target's dead letters.
    ['shop', 'dead-letters', 'tw.shop.dead_x2d_letters'],
    ['shop', 'eu_dead-letters', 'tw.shop.eu_dead_x2d_letters'],
    ['shop', 'dead-letters-old', 'tw.shop.dead-letters-old'],
    ['shop', 'love-letters', 'tw.shop.love-letters'],
  ])('of %s and %s is %s, and back', (database, collection, topic) => {
    expect(topicName('tw', { database, collection })).toBe(topic);
    expect(namespaceOfTopic('tw', topic)).toEqual({ database, collection });
  });

  it('may be longer than Kafka allows: the caller says so, naming the namespace', () => {
    const longest = { database: 'd', collection: 'c'.repeat(MAX_TOPIC_NAME_LENGTH - 'tw.d.'.length) };
    expect(topicName('tw', longest)).toHaveLength(MAX_TOPIC_NAME_LENGTH);
    const tooLong = { database: 'd', collection: `${longest.collection}c` };
    expect(topicName('tw', tooLong)).toHaveLength(MAX_TOPIC_NAME_LENGTH + 1);
    // Each byte that is escaped takes five characters.
    expect(topicName('tw', { database: 'd', collection: '注'.repeat(17) }).length).toBeGreaterThan(MAX_TOPIC_NAME_LENGTH);
  });
});

describe('namespaceOfTopic', () => {
  it.each([
    ['another prefix', 'other.shop.orders'],
    ['a prefix that begins alike', 'twin.shop.orders'],
    ['the prefix alone', 'tw'],
    ['one part', 'tw.checkpoints'],
    ['an empty database', 'tw..orders'],
    ['an empty collection', 'tw.shop.'],
    ['a third part', 'tw.shop.fs.files'],
    ['dead letters', 'tw.elasticsearch.dead-letters'],
    ['a name that no namespace gives', 'tw.shop_eu.orders'],
    ['an escape that was not needed', 'tw.shop._x61_'],
    ['escaped bytes that are not UTF-8', 'tw.shop._xff_'],
  ])('finds none for %s', (_what, topic) => {
    expect(namespaceOfTopic('tw', topic)).toBeUndefined();
  });
});

describe('isTopicPrefix', () => {
  it.each(['tailwater', 'tw-1', 'TW_prod', 'a', 'a'.repeat(100)])('takes %s', (prefix) => {
    expect(isTopicPrefix(prefix)).toBe(true);
  });

  it.each(['', 'a.b', 'a b', 'é', 'a/b', 'a\n', 'a'.repeat(101)])('refuses %j', (prefix) => {
    expect(isTopicPrefix(prefix)).toBe(false);
  });
});

describe('the pipeline’s own topics', () => {
  it('are no namespace’s', () => {
    expect(checkpointTopicName('tw')).toBe('tw.checkpoints');
    expect(deadLetterTopicName('tw', 'search')).toBe('tw.search.dead-letters');
    expect(namespaceOfTopic('tw', checkpointTopicName('tw'))).toBeUndefined();
    expect(namespaceOfTopic('tw', deadLetterTopicName('tw', 'search'))).toBeUndefined();
  });
});
