'use strict';

// What the four Node peers share: the service, its messages, Bolt versions, and the language that
// tests/interop/peers.py speaks with clients: a line of JSON in, a line of JSON out.

const crypto = require('crypto');
const readline = require('readline');
const protobuf = require('protobufjs');
const bolt = require('sofa-bolt-node');

const INTERFACE = 'com.mosntx.interop.Echo';
const SERVICE = `${INTERFACE}:1.0`;

const root = protobuf.Root.fromJSON({
  nested: {
    com: { nested: { mosntx: { nested: { interop: { nested: {
      Echo: { methods: { echo: { requestType: 'Question', responseType: 'Answer' } } },
      Question: { fields: {
        payload: { type: 'bytes', id: 1 },
        pause: { type: 'int32', id: 2 },
      } },
      Answer: { fields: {
        payload: { type: 'bytes', id: 1 },
        server: { type: 'string', id: 2 },
      } },
    } } } } } },
  },
}).resolveAll();

const VERSIONS = {
  v1: {},
  v2: { protocolType: 'bolt2', boltVersion: 2 },
  'v2+crc': { protocolType: 'bolt2', boltVersion: 2, crcEnable: true },
};

// The protocol object of sofa-bolt-node with another version, and with an ear for statuses.
function protocolFor(version, watcher) {
  return Object.assign(Object.create(bolt), {
    encoder: options => Object.assign(bolt.encoder(options), VERSIONS[version]),
    decoder: options => watch(bolt.decoder(options), watcher),
  });
}

// sofa-bolt-node does not tell the status of an answer, so it is read from each frame it takes.
function watch(decoder, watcher) {
  const decode = decoder._decode;
  decoder._decode = function() {
    const frame = this._buf;
    const more = decode.call(this);
    if (this._buf !== frame) {
      const v2 = frame[0] === 2 ? 1 : 0;
      if (frame[v2 + 1] === 0) {
        watcher.answered({
          heartbeat: frame.readUInt16BE(v2 + 2) === 0,
          id: frame.readUInt32BE(v2 + 5),
          status: frame.readUInt16BE(2 * v2 + 10),
        });
      }
    }
    return more;
  };
  return decoder;
}

// Counts statuses other than success, and lets one wait for the next heartbeat's answer.
class Watcher {
  constructor() {
    this.statuses = {};
    this._waiting = [];
  }

  answered({ heartbeat, status }) {
    if (heartbeat) {
      for (const resolve of this._waiting.splice(0)) resolve({ answered: true, status });
    } else if (status) {
      this.statuses[status] = (this.statuses[status] || 0) + 1;
    }
  }

  heartbeat(milliseconds) {
    return new Promise(resolve => {
      const timer = setTimeout(() => resolve({ answered: false, status: null }), milliseconds);
      this._waiting.push(result => {
        clearTimeout(timer);
        resolve(result);
      });
    });
  }
}

function payloadOf(index, size) {
  return Buffer.alloc(size, crypto.createHash('sha256').update(String(index)).digest());
}

async function calls({ sizes, pause }, call, watcher) {
  const result = { right: 0, wrong: 0, failed: 0, errors: {}, servers: {} };
  watcher.statuses = {};
  await Promise.all(sizes.map(async (size, index) => {
    const payload = payloadOf(index, size);
    try {
      const answer = await call(payload, pause || 0);
      const got = answer.payload == null ? Buffer.alloc(0) : Buffer.from(answer.payload);
      result[got.equals(payload) ? 'right' : 'wrong']++;
      result.servers[answer.server] = (result.servers[answer.server] || 0) + 1;
    } catch (error) {
      result.failed++;
      const text = `${error.name}: ${error.message}`.slice(0, 120);
      result.errors[text] = (result.errors[text] || 0) + 1;
    }
  }));
  return Object.assign(result, { statuses: watcher.statuses });
}

// Serves commands: {"do": "calls", "sizes": [..], "pause": ms} and {"do": "heartbeat"}.
function obey(watcher, { call, heartbeat }) {
  const say = value => process.stdout.write(JSON.stringify(value) + '\n');
  const lines = readline.createInterface({ input: process.stdin });
  lines.on('line', line => {
    const command = JSON.parse(line);
    const work = command.do === 'calls' ? calls(command, call, watcher) : heartbeat();
    work.then(say, error => say({ failure: error.stack }));
  });
  lines.on('close', () => process.exit(0));
  say({ ready: true });
}

// The arguments of a call in either codec, and back.
function argumentsOf(codec, payload, pause) {
  return codec === 'protobuf' ? [{ payload, pause }] : [ payload, pause ];
}

function questionOf(args) {
  const first = args[0];
  if (first == null) return { payload: Buffer.alloc(0), pause: 0 };
  if (Buffer.isBuffer(first)) return { payload: first, pause: args[1] };
  return { payload: Buffer.from(first.payload || []), pause: first.pause || 0 };
}

// Says that it holds a call, so that a test knows when it has arrived; then answers.
async function answerTo(args, server) {
  const { payload, pause } = questionOf(args);
  if (pause) {
    process.stdout.write('held\n');
    await new Promise(resolve => setTimeout(resolve, pause));
  }
  return { payload, server };
}

const quiet = { debug() {}, info() {}, log() {}, warn: console.warn, error: console.error };

module.exports = {
  INTERFACE, SERVICE, Watcher, answerTo, argumentsOf, obey, protocolFor, quiet, root,
};
