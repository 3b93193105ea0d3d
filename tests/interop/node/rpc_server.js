'use strict';

// sofa-rpc-node as a server: rpc_server.js PORT. Answers in the version of each request.

const { RpcServer, RpcConnection } = require('sofa-rpc-node').server;
const { INTERFACE, answerTo, quiet, root } = require('./common');

class Connection extends RpcConnection {
  _handleHeartbeat(heartbeat) {
    process.stdout.write('heartbeat\n');
    super._handleHeartbeat(heartbeat);
  }
}

const server = new RpcServer({
  logger: quiet,
  port: Number(process.argv[2]),
  connectionClass: Connection,
  maxIdleTime: 90000,
});
server.proto = root;
server.addService({ interfaceName: INTERFACE }, {
  async echo(...args) {
    return answerTo(args, 'sofa-rpc-node');
  },
});
server.on('error', error => console.error(error.message));
server.start();
