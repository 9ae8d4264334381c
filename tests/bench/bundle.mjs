/** An ANS-104 bundle of signed items (reference ans104.md §4). */
export function bundleOf(items) {
  const number = (value) => {
    const bytes = Buffer.alloc(32);
    bytes.writeBigUInt64LE(BigInt(value));
    return bytes;
  };
  const raws = items.map((item) => item.getRaw());
  const heads = items.map((item, at) => Buffer.concat([number(raws[at].length), Buffer.from(item.id, "base64url")]));
  return Buffer.concat([number(raws.length), ...heads, ...raws]);
}
