// What became of a call, as one word: for tests that say "success or one of these errors".

/** "ok", or the code of the error that `act` threw; an error without a code as its text. */
export function codeOf(act: () => unknown): string {
  try {
    act();
    return "ok";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}
