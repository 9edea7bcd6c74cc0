// An echo server. Usage: server.js ADDRESS PORT
const net = require('node:net');

const [address, port] = process.argv.slice(2);
const server = net.createServer({ allowHalfOpen: true }, (client) => {
  client.pipe(client);
  client.on('error', (error) => console.error(error.message));
});
server.listen({ host: address, port: Number(port) }, () => console.error('ready'));
