// The version that `virtfn --version` tells.

/** The same as in package.json, which lies outside the layers; a test compares them. */
export const version = "0.1.0";
