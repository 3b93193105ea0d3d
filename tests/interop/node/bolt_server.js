'use strict';

// sofa-bolt-node as a server: bolt_server.js PORT. Answers in the version of each request.

const net = require('net');
const bolt = require('sofa-bolt-node');
const { answerTo, root } = require('./common');

net.createServer(socket => {
  const options = { sentReqs: new Map(), proto: root, classCache: new Map() };
  const encoder = bolt.encoder(options);
  const decoder = bolt.decoder(options);
  encoder.pipe(socket).pipe(decoder);
  socket.on('error', error => console.error(error.message));
  decoder.on('error', error => socket.destroy(error));
  decoder.on('heartbeat', heartbeat => {
    process.stdout.write('heartbeat\n');
    encoder.writeHeartbeatAck(heartbeat);
  });
  decoder.on('request', async request => {
    const appResponse = await answerTo(request.data.args, 'sofa-bolt-node');
    if (!socket.destroyed) encoder.writeResponse(request, { isError: false, appResponse });
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
