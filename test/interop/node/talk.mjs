// What the scripts share: they are told on standard input what there is, ask for a person
// with a browser when they need one, and say at the end what they exercised.
//
// A line is a JSON object. First comes {issuer, callback, clients, …}; {browse, end} asks
// to open an address and is answered with {at}, and {posted} if the browser was sent there
// with a form; {exercised} is the last word.

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

// browsePosted returns what the app gets where the answer comes as a form: a request.
export async function browsePosted(address) {
  const { at, posted } = await ask({ browse: String(address), end: given.callback });
  return new Request(at, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: posted });
}

const exercised = [];

// chapter runs one part of the story.
export async function chapter(name, story) {
  try {
    await story();
  } catch (e) {
    throw new Error(`${name}: ${e.message}`, { cause: e });
  }
  exercised.push(name);
}

export function finish() {
  say({ exercised });
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
