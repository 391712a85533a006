"""Speaks Google's XML API in front of fake-gcs-server, which takes writes by the JSON API alone.

usage: python gcs_front.py PORT UPSTREAM

What the XML API says of an upload, a copy, a multipart upload or a listing is said again in JSON;
everything else goes through as it is.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape

from aiohttp import ClientSession, MultipartWriter, web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

LONGEST = 1 << 30
LIST_ARGUMENTS = {
    "prefix": "prefix",
    "delimiter": "delimiter",
    "continuation-token": "pageToken",
    "start-after": "startOffset",
    "max-keys": "maxResults",
}
HOP_BY_HOP = {"connection", "content-length", "host", "transfer-encoding"}


class Front:
    """The translation, with the multipart uploads that have begun."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.metadata: dict[str, dict[str, str]] = {}
        self.session: ClientSession
        self.copying = asyncio.Lock()

    async def context(self, _: web.Application) -> AsyncIterator[None]:
        """Keep one client for the life of the server."""
        async with ClientSession(self.upstream, auto_decompress=False) as self.session:
            yield

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        bucket, _, name = unquote(request.rel_url.raw_path.lstrip("/")).partition("/")
        query = request.query
        if bucket in {"storage", "upload", "download", "_internal"}:
            return await self.through(request)
        rules: list[tuple[bool, Callable[..., Awaitable[web.StreamResponse]]]] = [
            (request.method == "GET" and "list-type" in query, self.list),
            (request.method == "POST" and "uploads" in query, self.begin),
            (request.method == "PUT" and "partNumber" in query, self.part),
            (request.method == "POST" and "uploadId" in query, self.complete),
            (request.method == "DELETE" and "uploadId" in query, self.abort),
            (request.method == "PUT" and "x-goog-copy-source" in request.headers, self.copy),
            (request.method == "PUT", self.put),
        ]
        for applies, rule in rules:
            if applies:
                return await rule(request, bucket, name)
        return await self.through(request)

    async def through(self, request: web.Request) -> web.Response:
        """Hand the request on as it is."""
        headers = {k: v for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP}
        body = await request.read()
        async with self.session.request(
            request.method, request.rel_url, headers=headers, data=body
        ) as answer:
            kept = {k: v for k, v in answer.headers.items() if k.lower() not in HOP_BY_HOP}
            if request.method == "HEAD":
                kept["Content-Length"] = answer.headers.get("Content-Length", "0")
            if answer.status == 404 and request.method == "GET":
                return await self.missing(request)
            return web.Response(status=answer.status, headers=kept, body=await answer.read())

    async def missing(self, request: web.Request) -> web.Response:
        """Say what is missing, as the XML API does."""
        bucket = unquote(request.rel_url.raw_path.lstrip("/")).partition("/")[0]
        async with self.session.get(f"/storage/v1/b/{bucket}") as there:
            code = "NoSuchBucket" if there.status == 404 else "NoSuchKey"
        text = f"<Error><Code>{code}</Code><Message>It does not exist.</Message></Error>"
        return web.Response(status=404, text=text, content_type="application/xml")

    async def insert(
        self,
        request: web.Request,
        bucket: str,
        name: str,
        body: bytes,
        metadata: dict[str, str] | None = None,
    ) -> Any:
        """Upload an object by the JSON API, on the condition of the request."""
        arguments = {"uploadType": "multipart", "name": name} | _condition(request)
        with MultipartWriter("related") as parts:
            described = {"name": name, "contentType": "application/octet-stream"}
            parts.append_json(described | {"metadata": metadata or _metadata(request)})
            parts.append(body)
            url = f"/upload/storage/v1/b/{bucket}/o"
            async with self.session.post(url, params=arguments, data=parts) as answer:
                return answer.status, await answer.json(content_type=None)

    async def put(self, request: web.Request, bucket: str, name: str) -> web.Response:
        """Write an object at once."""
        status, made = await self.insert(request, bucket, name, await request.read())
        if status == 404:
            return await self.missing(request)
        return web.Response(status=status, headers=_version(made) if status == 200 else None)

    async def copy(self, request: web.Request, bucket: str, name: str) -> web.Response:
        """Copy an object."""
        source = unquote(request.headers["x-goog-copy-source"]).lstrip("/")
        source_bucket, _, source_name = source.partition("/")
        wanted = _condition(request).get("ifGenerationMatch")
        url = (
            f"/storage/v1/b/{source_bucket}/o/{quote(source_name, safe='')}"
            f"/rewriteTo/b/{bucket}/o/{quote(name, safe='')}"
        )
        # The server below looks at no condition of a copy.
        async with self.copying:
            if wanted is not None and await self.generation(bucket, name) != wanted:
                return web.Response(status=412)
            async with self.session.post(url, json={}) as answer:
                return web.Response(status=answer.status)

    async def generation(self, bucket: str, name: str) -> str:
        """The version of an object; "0" when there is none."""
        url = f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}"
        async with self.session.get(url) as there:
            return str((await there.json())["generation"]) if there.status == 200 else "0"

    async def begin(self, request: web.Request, bucket: str, name: str) -> web.Response:
        """Begin a multipart upload."""
        upload = uuid.uuid4().hex
        self.uploads[upload] = {}
        self.metadata[upload] = _metadata(request)
        return _xml(f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId>", bucket, name)

    async def part(self, request: web.Request, bucket: str, name: str) -> web.Response:
        """Keep a part."""
        body = await request.read()
        self.uploads[request.query["uploadId"]][int(request.query["partNumber"])] = body
        tag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        return web.Response(headers={"ETag": f'"{tag}"'})

    async def complete(self, request: web.Request, bucket: str, name: str) -> web.Response:
        """Write the parts as one object."""
        upload = request.query["uploadId"]
        parts, metadata = self.uploads.pop(upload), self.metadata.pop(upload)
        body = b"".join(parts[number] for number in sorted(parts))
        status, made = await self.insert(request, bucket, name, body, metadata)
        if status != 200:
            return web.Response(status=status)
        tag = escape(_version(made)["ETag"])
        answer = _xml(f"<CompleteMultipartUploadResult><ETag>{tag}</ETag>", bucket, name)
        answer.headers["x-goog-generation"] = str(made["generation"])
        return answer

    async def abort(self, request: web.Request, bucket: str, name: str) -> web.Response:
        """Forget a multipart upload."""
        self.uploads.pop(request.query["uploadId"], None)
        return web.Response(status=204)

    async def list(self, request: web.Request, bucket: str, name: str) -> web.Response:
        """List objects."""
        query = request.query
        arguments = {
            ours: query[theirs] for theirs, ours in LIST_ARGUMENTS.items() if theirs in query
        }
        async with self.session.get(f"/storage/v1/b/{bucket}/o", params=arguments) as answer:
            if answer.status != 200:
                error = "<Error><Code>NoSuchBucket</Code></Error>"
                return web.Response(status=answer.status, text=error, content_type="text/xml")
            page = json.loads(await answer.read())
        items = [item for item in page.get("items", []) if item["name"] != query.get("start-after")]
        text = "".join(
            f"<Contents><Key>{escape(item['name'])}</Key><Size>{item['size']}</Size>"
            f"<LastModified>{item['updated']}</LastModified><ETag>{escape(item['etag'])}</ETag>"
            "</Contents>"
            for item in items
        )
        if token := page.get("nextPageToken"):
            text += f"<NextContinuationToken>{escape(token)}</NextContinuationToken>"
        return _xml(f"<ListBucketResult>{text}", bucket, name)


def _condition(request: web.Request) -> dict[str, str]:
    generation = request.headers.get("x-goog-if-generation-match")
    return {} if generation is None else {"ifGenerationMatch": generation}


def _metadata(request: web.Request) -> dict[str, str]:
    start = "x-goog-meta-"
    headers = request.headers.items()
    return {name[len(start) :].lower(): v for name, v in headers if name.lower().startswith(start)}


def _version(made: dict[str, Any]) -> dict[str, str]:
    tag = made["etag"].strip('"')
    return {"ETag": f'"{tag}"', "x-goog-generation": str(made["generation"])}


def _xml(text: str, bucket: str, name: str) -> web.Response:
    root = text[1 : text.index(">")]
    body = f"{text}<Bucket>{escape(bucket)}</Bucket><Key>{escape(name)}</Key></{root}>"
    if root == "ListBucketResult":
        body = f"{text}</{root}>"
    return web.Response(text=body, content_type="application/xml")


def main(port: str, upstream: str) -> None:
    """Serve until killed."""
    front = Front(upstream)
    application = web.Application(client_max_size=LONGEST)
    application.cleanup_ctx.append(front.context)
    application.router.add_route("*", "/{path:.*}", front.answer)
    web.run_app(application, host="127.0.0.1", port=int(port), print=None)


if __name__ == "__main__":
    main(*sys.argv[1:])
