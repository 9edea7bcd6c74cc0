// The partner of server.js: waits for the announcement, has two lines given back, ends.
// Usage: client.js [PORT]
const net = require('node:net');
const readline = require('node:readline');

const lines = ['first line', 'second line: ünïcödé'];
const connection = net.connect(Number(process.argv[2] ?? 1337), '127.0.0.1');
connection.on('close', (failed) => console.log(`closed, failed: ${failed}`));

readline.createInterface({ input: connection }).on('line', (line) => {
  console.log(`received: ${line}`);
  if (lines.length > 0) connection.write(`${lines.shift()}\n`);
  else connection.end();
});
