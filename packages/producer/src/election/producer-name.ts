/** The transactional id that fences, and the group that elects, the producers of one source. */
export const producerName = (prefix: string, source: string): string => `${prefix}.producer.${source}`;
