#!/usr/bin/env python3
"""Connects to each target of a file with asyncio, 256 at once, and prints a line for each: the Python way to do it."""

import asyncio
import sys

IN_FLIGHT = 256
TIMEOUT_SECONDS = 5


async def check(line):
    host, _, port = line.strip().rpartition(":")
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, int(port)), TIMEOUT_SECONDS)
    except OSError as error:
        return f"{line.strip()} {error.strerror}\n"
    writer.close()
    return f"{line.strip()} open\n"


async def work(lines):
    for line in lines:
        sys.stdout.write(await check(line))


async def main():
    with open(sys.argv[1], encoding="ascii") as file:
        lines = iter(file.readlines())
    # All workers share one iterator.
    await asyncio.gather(*(work(lines) for _ in range(IN_FLIGHT)))


asyncio.run(main())
