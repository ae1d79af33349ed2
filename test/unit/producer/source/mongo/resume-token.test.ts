import { describe, expect, it } from 'vitest';
import { readToken } from '#producer/source/change-stream/resume-token.js';
import { raw } from '#test/unit/producer/support/entries.js';

const token = (data: string): Buffer => raw({ _data: data });
const IDENTITY = '5A1004BE00078883A446F9A72A4B082E5DDFED461E5F6964002B020004';

describe('readToken', () => {
  it('reads the cluster time of an event, and that it stands outside of a transaction', () => {
    const place = readToken(token(`826B05487F000000132B022C0100296E${IDENTITY}`));
    expect(place).toEqual({ t: 0x6b05487f, i: 0x13, isEvent: true, ordinal: 0 });
  });

  it('reads which operation of a transaction an event is', () => {
    const ordinals = ['29', '2B02', '2B08', '2BFE', '2C0100', '2C0192', '2D030D40'].map(
      (ordinal) => readToken(token(`826B054880000000042B022C0100${ordinal}6E${IDENTITY}`))?.ordinal,
    );
    expect(ordinals).toEqual([0, 1, 4, 127, 128, 201, 100_000]);
  });

  it('reads tokens of newer versions, and those that no event has', () => {
    expect(readToken(token(`826B05487F000000132B042C0100296E${IDENTITY}`))).toMatchObject({ isEvent: true, ordinal: 0 });
    expect(readToken(token('826B05487F000000122B0229296E04'))).toEqual({ t: 0x6b05487f, i: 0x12, isEvent: false, ordinal: 0 });
  });

  it.each([
    ['of MongoDB 4.0', `826B05487F00000013${IDENTITY}`],
    ['of another kind of server', '013abc'],
    ['that ends early', '826B05487F000000132B022C01'],
    ['that is empty', ''],
  ])('does not guess at one %s', (_, data) => {
    expect(readToken(token(data))).toBeUndefined();
  });

  it('does not guess at a document without data', () => {
    expect(readToken(raw({ other: 1 }))).toBeUndefined();
  });
});
