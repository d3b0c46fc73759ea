// Values that are made where they are first needed: most calls of the CNI read by few of the schemas that they load.

/** `make`'s value, made at the first call. */
export function makeOnce<Value extends object>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => (made ??= make());
}
