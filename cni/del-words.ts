// What an error of DEL must not say: containerd takes some words for "is gone already", and does not call again.

/**
 * `text` without the words that containerd takes for the success of a DEL, whoever said them; what they mean stays readable.
 * Source: containerd go-cni, cni.go, Remove.
 */
export function withoutSuccessWords(text: string): string {
  return text
    .replaceAll("not found", "not-found")
    .replaceAll("no such file or directory", "no such file or folder");
}
