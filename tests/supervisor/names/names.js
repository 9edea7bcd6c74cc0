const dns = require('dns').promises;

(async () => {
  for (const name of process.argv.slice(2)) {
    try {
      for (const { address } of await dns.lookup(name, { all: true })) {
        const back = await dns.lookupService(address, 80).then((found) => found.hostname, () => 'nobody');
        console.log(`${name}: ${address}, which is ${back}`);
      }
    } catch {
      console.log(`${name}: not found`);
    }
  }
})();
