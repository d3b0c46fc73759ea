// What runs inside the emulated node: rounds of VERSION, ADD and DEL of several plugins on one real VF, timed by bash itself.

/** A plugin in the guest and the network configuration it gets. */
export interface GuestPlugin {
  readonly name: string;
  readonly path: string;
  readonly config: object;
}

/** A bash script that prints `plugin verb microseconds` lines; it ends at the first verb that fails, with its answer. */
export function makeGuestScript(plugins: readonly GuestPlugin[], rounds: number): string {
  const calls = plugins.map(
    ({ name, path, config }) => `  round ${name} ${path} '${JSON.stringify(config)}'`,
  );
  return `set -u
export CNI_NETNS=/run/netns/bench CNI_IFNAME=net1 CNI_PATH=/opt/cni/bin CNI_CONTAINERID=bench
ip netns del bench 2>/dev/null; ip netns add bench
run() { # plugin verb executable configuration
  local from=\${EPOCHREALTIME/./} answer
  answer=$(CNI_COMMAND=$2 "$3" <<< "$4") || { echo "$1 $2: $answer" >&2; exit 1; }
  echo "$1 $2 $(( \${EPOCHREALTIME/./} - from ))"
}
round() {
  udevadm settle
  run "$1" VERSION "$2" "$3"
  run "$1" ADD "$2" "$3"
  run "$1" DEL "$2" "$3"
}
for i in $(seq ${rounds}); do
${calls.join("\n")}
done
ip netns del bench
`;
}

/** Milliseconds by plugin and verb, in the order of the rounds, from what the script printed. */
export function parseGuestTimes(stdout: string): ReadonlyMap<string, readonly number[]> {
  const times = new Map<string, number[]>();
  for (const line of stdout.split("\n").filter(Boolean)) {
    const [plugin, verb, microseconds] = line.split(" ");
    const key = `${plugin} ${verb}`;
    times.set(key, [...(times.get(key) ?? []), Number(microseconds) / 1000]);
  }
  return times;
}
