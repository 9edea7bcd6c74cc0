// A line client. Usage: client.js ADDRESS PORT
const net = require('node:net');
const { once } = require('node:events');
const readline = require('node:readline/promises');

async function main(address, port) {
  const server = net.connect({ host: address, port: Number(port), allowHalfOpen: true });
  await once(server, 'connect');
  const answers = readline.createInterface({ input: server })[Symbol.asyncIterator]();
  for await (const line of readline.createInterface({ input: process.stdin })) {
    server.write(`${line}\n`);
    process.stdout.write(`${(await answers.next()).value}\n`);
  }
  server.end();
  if (!(await answers.next()).done) process.exitCode = 1;
}

main(...process.argv.slice(2));
