# A server and ten clients in Node.
timeout 20 node -e "
const net = require('net');
const server = net.createServer((c) => c.pipe(c)).listen(80, '127.0.0.1', () => {
  let left = 10;
  for (let n = 0; n < 10; n++) {
    const client = net.connect(80, '127.0.0.1', () => client.end('line ' + n));
    let text = '';
    client.on('data', (data) => { text += data; });
    client.on('close', () => {
      if (text !== 'line ' + n) process.exit(1);
      if (--left === 0) server.close();
    });
  }
});"
