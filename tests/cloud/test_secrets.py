"""Nothing that Persist says holds a key, the signature of a URL or a token."""

import http.server
import logging
import threading
import traceback

import persist
import pytest
from persist.options import AzureOptions, GCSOptions, S3Options

SIGNED = "sv=2024-11-04&ss=b&srt=sco&sp=rwdlac&se=2030-01-01&sig=signaturecanary%3D"
SHORT = {"deadline": 1, "max_retries": 0}
OPTIONS = {
    "s3": lambda url: S3Options(
        endpoint=url,
        access_key_id="name-of-a-key",
        secret_access_key="secretcanary",
        session_token="tokencanary",
        **SHORT,
    ),
    "az by key": lambda url: AzureOptions(
        endpoint=url, account="account", account_key="Y2FuYXJ5", **SHORT
    ),
    "az by signature": lambda url: AzureOptions(
        endpoint=url, account="account", sas_token=SIGNED, **SHORT
    ),
    "az by token": lambda url: AzureOptions(
        endpoint=url, account="account", bearer_token="tokencanary", **SHORT
    ),
    "gs": lambda url: GCSOptions(endpoint=url, bearer_token="tokencanary", **SHORT),
}
SECRETS = ("canary", "Y2FuYXJ5")


class Echo(http.server.BaseHTTPRequestHandler):
    """Refuses every request, and tells all that it was told."""

    status = 403

    def answer(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        told = f"{self.path} {self.headers}".replace("&", "&amp;").replace("\n", " ")
        body = f"<Error><Code>Refused</Code><Message>no: {told}</Message></Error>".encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amz-request-id", "1")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer

    def log_message(self, *arguments):
        pass


@pytest.fixture(params=[400, 403, 500, "dead", "silent"])
def broken(request):
    """A server that fails in one way."""
    handler = type("Bound", (Echo,), {"status": request.param})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    url = f"http://127.0.0.1:{server.server_port}"
    if request.param == "dead":
        server.server_close()
        yield url
        return
    if request.param == "silent":
        yield url
        server.server_close()
        return
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield url
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("kind", OPTIONS)
def test_no_failure_tells_a_secret(kind, broken, caplog, capfd):
    options = OPTIONS[kind](broken)
    url = f"{kind.partition(' ')[0]}://bucket/a.json.gz"
    way = {"storage_options": options}
    verbs = [
        lambda: persist.snapshot({}, url, **way),
        lambda: persist.restore(url, **way),
        lambda: persist.delete_snapshot(url, **way),
        lambda: list(persist.list_snapshots(url, **way)),
    ]
    caplog.set_level(logging.DEBUG)
    said = [repr(options), str(options)]
    for verb in verbs:
        with pytest.raises(persist.PersistError) as caught:
            verb()
        error = caught.value
        said += [str(error), repr(error), str(error.hint), str(vars(error))]
        said += traceback.format_exception(error)
        said += [repr(cause) for cause in (error.__cause__, error.__context__)]
    said += [caplog.text, *capfd.readouterr(), persist.metrics.render()]
    for secret in SECRETS:
        assert not [text for text in said if secret in text]
