"""Answers as S3 does for a bucket with more objects than a test can write.

usage: python pages.py PORT COUNT SNAPSHOT

Every key holds the same snapshot. It speaks the pages of ListObjectsV2 and reads of ranges, for to
write as many objects into a real server takes many minutes.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from servers import Server, free_ports

if TYPE_CHECKING:
    from multidict import MultiMapping

PAGE = 1000


@dataclass
class Pages:
    """A server, and what clients say to reach it."""

    server: Server
    endpoint: str

    def variables(self) -> dict[str, str]:
        """The environment of a client."""
        return {
            "AWS_ACCESS_KEY_ID": "anything",
            "AWS_SECRET_ACCESS_KEY": "anything",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.endpoint,
        }


def pages(folder: Path, count: int, snapshot: Path) -> Pages:
    """A bucket of so many snapshots; not started yet."""
    (port,) = free_ports(1)
    endpoint = f"http://127.0.0.1:{port}"
    command = [sys.executable, __file__, str(port), str(count), str(snapshot)]
    env = {"PYTHONPATH": str(Path(__file__).parents[1])}
    return Pages(Server(command, f"{endpoint}/ready", folder / "pages.log", env), endpoint)


def listed(count: int, size: int, query: MultiMapping[str]) -> str:
    """A page of the listing."""
    first = int(query.get("continuation-token", 0))
    after = min(first + PAGE, count)
    found = "".join(
        f"<Contents><Key>{query['prefix']}{number:09}.json.gz</Key><Size>{size}</Size>"
        "<ETag>&quot;1&quot;</ETag><LastModified>2026-11-25T10:00:00.000Z</LastModified></Contents>"
        for number in range(first, after)
    )
    more = f"<NextContinuationToken>{after}</NextContinuationToken>" if after < count else ""
    return f"<ListBucketResult>{found}{more}</ListBucketResult>"


def read(body: bytes, wanted: str) -> web.Response:
    """A range of the one object that there is."""
    first, last = (int(text) for text in wanted.removeprefix("bytes=").split("-"))
    part = body[first : last + 1]
    headers = {
        "ETag": '"1"',
        "Last-Modified": "Wed, 25 Nov 2026 10:00:00 GMT",
        "Content-Range": f"bytes {first}-{first + len(part) - 1}/{len(body)}",
    }
    return web.Response(status=206, body=part, headers=headers)


def main(port: str, count: str, snapshot: str) -> None:
    """Serve until killed."""
    body = Path(snapshot).read_bytes()

    async def answer(request: web.Request) -> web.Response:
        if "list-type" in request.query:
            page = listed(int(count), len(body), request.query)
            return web.Response(text=page, content_type="application/xml")
        if "Range" in request.headers:
            return read(body, request.headers["Range"])
        return web.Response()

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    web.run_app(application, host="127.0.0.1", port=int(port), print=None, access_log=None)


if __name__ == "__main__":
    main(*sys.argv[1:])
