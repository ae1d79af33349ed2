// https://kafka.apache.org/protocol#protocol_error_codes

/** The broker's error type, which kafkajs wraps once or twice on its way; empty for an error that is not the broker's. */
export function protocolErrorOf(error: unknown): string {
  for (let each = error; each instanceof Error; each = each.cause) if ('type' in each && typeof each.type === 'string') return each.type;
  return '';
}
