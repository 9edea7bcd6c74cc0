// The article's Node.js server: announces itself to each client, then gives back what comes.
// Usage: server.js [PORT]
const net = require('node:net');

const server = net.createServer((connection) => {
  connection.write('Echo server\r\n');
  connection.pipe(connection);
});

server.listen(Number(process.argv[2] ?? 1337), '127.0.0.1', () => console.error('ready'));
