// Tests test/bench/network/options.ts.

import { expect, test } from "vitest";

import { parseBenchOptions } from "../../../bench/network/options.ts";

test("nothing but defaults runs the article's numbers on this machine", () => {
  expect(parseBenchOptions([])).toEqual({
    mode: "host",
    role: "both",
    servers: [],
    pf: undefined,
    peer: undefined,
    namespaces: 6,
    processes: 200,
    tests: ["TCP_RR", "TCP_CRR", "UDP_RR", "STREAM"],
    variants: ["host", "veth-bridge", "sriov-untuned", "sriov-numa-spread"],
    baseline: "veth-bridge",
    rounds: 10,
    seconds: 30,
    warmUpSeconds: 5,
    clients: 1,
    port: 7715,
    seed: 1,
    isJson: false,
    out: "bench-network",
  });
});

test("several servers follow one flag, or each its own", () => {
  const client = ["--role", "client", "--pf", "ens1f0"];
  expect(parseBenchOptions([...client, "--server", "a", "b:7", "--json"])).toMatchObject({
    servers: [
      { host: "a", port: undefined },
      { host: "b", port: 7 },
    ],
    isJson: true,
  });
  expect(parseBenchOptions([...client, "--server", "a", "--server", "2001:db8::1"])).toMatchObject({
    servers: [{ host: "a" }, { host: "2001:db8::1" }],
  });
});

test("rates of an open loop are tests of their own", () => {
  const tests = ["UNDER_LOAD_500", "TCP_RR", "UNDER_LOAD_1000"];
  expect(parseBenchOptions(["--tests", tests.join(",")])).toMatchObject({ tests });
});

test("--help goes before everything that is wrong", () => {
  expect(parseBenchOptions(["--help", "--rounds", "x"])).toBe("help");
});

test.each([
  [["--mode", "cloud"], '--mode: expected one of host, lab, got "cloud"'],
  [["--role", "boss"], '--role: expected one of server, client, both, got "boss"'],
  [
    ["--tests", "TCP_RR,PING"],
    '--tests: expected names of TCP_RR,TCP_CRR,UDP_RR,STREAM,UNDER_LOAD_N, got "PING"',
  ],
  [["--tests", "UNDER_LOAD_0"], 'got "UNDER_LOAD_0"'],
  [["--tests", "TCP_RR,TCP_RR"], "--tests: a name is there twice: TCP_RR,TCP_RR"],
  [["--variants", "sriov-none"], 'got "sriov-none"'],
  [["--variants", ""], 'got ""'],
  [["--baseline", "macvlan"], "--baseline: expected one of --variants"],
  [["--rounds", "0"], '--rounds: expected a whole number from 1 to 1000, got "0"'],
  [["--processes", "1e3"], '--processes: expected a whole number from 1 to 2000, got "1e3"'],
  [["--seconds", "-1"], "--seconds"],
  [["--role", "client", "--pf", "e"], "--role client needs --server"],
  [["--role", "server"], "--role server needs --pf"],
  [["--server", "a"], "--server is for --role client, got --role both"],
  [["stray"], 'unexpected "stray"'],
  [["--pf", "ens1f0"], "--role both needs --pf and --peer, or neither"],
  [["--pf", "../x", "--peer", "y"], '--pf: expected the name of an interface, got "../x"'],
  [["--role", "server", "--pf", "a", "--peer", "b"], "--peer is for --role both, got --role server"],
  [["--mode", "lab", "--pf", "a", "--peer", "b"], "--mode lab brings its own NICs"],
  [["--role", "server", "--pf", "a", "--clients", "7"], "--clients: expected a whole number from 1 to 6"],
  [["--pf", "a", "--peer", "a"], '--peer: expected another interface than --pf, got "a"'],
  [["--role", "client", "--pf", "e", "--server", "a:0"], "--server: expected ADDRESS or ADDRESS:PORT"],
  [["--role", "client", "--pf", "e", "--server", "a:65536"], 'got "a:65536"'],
  [["--fast"], "--fast"],
])("%j is one error with its reason", (argv, reason) => {
  expect(() => parseBenchOptions(argv)).toThrow(reason);
});
