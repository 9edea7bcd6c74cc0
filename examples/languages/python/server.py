"""An echo server on asyncio. Usage: server.py ADDRESS PORT"""

import asyncio
import sys


async def echo(reader, writer):
    while part := await reader.read(4096):
        writer.write(part)
        await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(echo, sys.argv[1], int(sys.argv[2]))
    print("ready", file=sys.stderr, flush=True)
    await server.serve_forever()


asyncio.run(main())
