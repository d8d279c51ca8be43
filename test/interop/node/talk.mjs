// What the scripts share: they are told on standard input what there is, ask for a person
// with a browser when they need one, and say at the end what they exercised.
//
// A line is a JSON object. First comes {issuer, callback, clients, …}; {browse, end} asks
// to open an address and is answered with {at}; {exercised, skipped} is the last word.

import { createInterface } from 'node:readline';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function hear() {
  const { value, done } = await lines.next();
  if (done) throw new Error('nobody is there any more');
  return JSON.parse(value);
}

function say(what) {
  process.stdout.write(JSON.stringify(what) + '\n');
}

export const given = await hear();

// ask says something and returns the answer.
export async function ask(what) {
  say(what);
  return hear();
}

// browse lets the person go to an address and returns where the app is called back.
export async function browse(address, end = given.callback) {
  return new URL((await ask({ browse: String(address), end })).at);
}

const exercised = [];
const skipped = [];

// chapter runs one part of the story. Without what it needs, which discovery tells, it is skipped.
export async function chapter(name, offered, story) {
  if (!offered) {
    skipped.push(name);
    return;
  }
  try {
    await story();
  } catch (e) {
    throw new Error(`${name}: ${e.message}`, { cause: e });
  }
  exercised.push(name);
}

export function finish() {
  say({ exercised, skipped });
  process.exit(0);
}

export function check(fact, what) {
  if (!fact) throw new Error(what);
}

export function equal(got, want, what) {
  check(JSON.stringify(got) === JSON.stringify(want), `${what}: ${JSON.stringify(got)} instead of ${JSON.stringify(want)}`);
}

// refused expects an OAuth error.
export async function refused(promise, code) {
  try {
    await promise;
  } catch (e) {
    equal(e.error, code, `refusal (${e.message})`);
    return;
  }
  throw new Error(`accepted instead of ${code}`);
}
