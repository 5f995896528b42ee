"""The socket that the server listens on."""

import asyncio
import socket

from tests.support import loops

from foveal.cli import server
from foveal.settings import Settings


def test_small_answers_are_sent_at_once() -> None:
    """Without this, a kept connection waits 40 ms for each answer that comes in two pieces."""

    async def nodelay() -> int:
        accepted = asyncio.get_running_loop().create_future()

        def met(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted.set_result(writer)

        listener = server.listen(Settings(port=0))
        async with await asyncio.start_server(met, sock=listener):
            _, client = await asyncio.open_connection(*listener.getsockname())
            writer: asyncio.StreamWriter = await accepted
            option = writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            client.close()
            writer.close()
        return option

    assert loops.run(nodelay()) == 1
