'use strict';

// sofa-bolt-node as a client on one connection: bolt_client.js PORT VERSION CODEC

const net = require('net');
const { SERVICE, Watcher, argumentsOf, obey, protocolFor, root } = require('./common');

const [ port, version, codec ] = process.argv.slice(2);
const watcher = new Watcher();
const protocol = protocolFor(version, watcher);
const waiting = new Map();
let connection = null;
let lastId = 0;

function connect() {
  const sentReqs = new Map();
  const options = { sentReqs, proto: root, classCache: new Map(), codecType: codec };
  const socket = net.connect(Number(port), '127.0.0.1');
  const encoder = protocol.encoder(options);
  const decoder = protocol.decoder(options);
  const made = { sentReqs, encoder };
  encoder.pipe(socket).pipe(decoder);
  decoder.on('response', ({ packetId, data }) => {
    const settle = waiting.get(packetId);
    sentReqs.delete(packetId);
    waiting.delete(packetId);
    if (!settle) return console.error(`answer to nobody: ${packetId}`);
    if (data.error) settle.reject(data.error);
    else settle.resolve(data.appResponse);
  });
  decoder.on('error', error => socket.destroy(error));
  socket.on('error', error => console.error(error.message));
  socket.on('close', () => {
    if (connection === made) connection = null;
    for (const id of sentReqs.keys()) {
      waiting.get(id).reject(new Error('connection closed'));
      waiting.delete(id);
    }
  });
  return made;
}

function call(payload, pause) {
  if (!connection) connection = connect();
  const { sentReqs, encoder } = connection;
  const id = ++lastId;
  const request = {
    serverSignature: SERVICE,
    methodName: 'echo',
    args: argumentsOf(codec, payload, pause),
    timeout: 60000,
    requestProps: { service: SERVICE },
  };
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    sentReqs.set(id, { req: request });
    encoder.writeRequest(id, request, error => {
      if (error) {
        sentReqs.delete(id);
        waiting.delete(id);
        reject(error);
      }
    });
  });
}

function heartbeat() {
  if (!connection) connection = connect();
  const answer = watcher.heartbeat(5000);
  connection.encoder.writeHeartbeat(++lastId, { timeout: 3000 });
  return answer;
}

obey(watcher, { call, heartbeat });
