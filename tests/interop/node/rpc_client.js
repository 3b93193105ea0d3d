'use strict';

// sofa-rpc-node as a client: rpc_client.js PORT VERSION CODEC

const { RpcClient } = require('sofa-rpc-node').client;
const { INTERFACE, Watcher, argumentsOf, obey, protocolFor, quiet, root } = require('./common');

const [ port, version, codecType ] = process.argv.slice(2);
const responseTimeout = 60000;
const watcher = new Watcher();
const client = new RpcClient({
  logger: quiet,
  connectionOpts: {
    protocol: protocolFor(version, watcher),
    proto: root,
    noDelay: true,
    connectTimeout: 3000,
    // A heartbeat is wanted when the test says so, however short the connection was idle.
    maxIdleTime: -1,
  },
});
client.on('error', error => console.error(error.message));
const consumer = client.createConsumer({
  interfaceName: INTERFACE,
  serverHost: `127.0.0.1:${port}`,
  responseTimeout,
});

function call(payload, pause) {
  const args = argumentsOf(codecType, payload, pause);
  return consumer.invoke('echo', args, { codecType, responseTimeout });
}

async function heartbeat() {
  const answer = watcher.heartbeat(5000);
  for (const connection of client.connectionManager.connections.values()) connection.heartbeat();
  return answer;
}

consumer.ready().then(() => obey(watcher, { call, heartbeat }));
