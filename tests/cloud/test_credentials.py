"""The ways by which AWS credentials are found; what needs Amazon's own endpoints is left out."""

import contextlib
import json
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import persist
import pytest
from persist.options import S3Options
from servers.seaweedfs import KEY, SECRET


@pytest.fixture
def place(on_s3, monkeypatch):
    """A store whose keys are not in the environment."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    return on_s3.url("a.json.gz")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder with a place for AWS profiles."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".aws").mkdir()
    return tmp_path / ".aws"


def profile(name, **values):
    lines = "".join(f"{key} = {value}\n" for key, value in values.items())
    return f"[{name}]\n{lines}"


def keys(access="aws_access_key_id", secret="aws_secret_access_key"):
    return {access: KEY, secret: SECRET}


def test_a_profile_that_the_environment_names(place, home, monkeypatch):
    (home / "credentials").write_text(
        profile("default", aws_access_key_id="wrong", aws_secret_access_key="wrong")
        + profile("work", **keys())
    )
    with pytest.raises(persist.S3AccessDeniedError):
        persist.snapshot([1], place)
    monkeypatch.setenv("AWS_PROFILE", "work")
    persist.snapshot([1], place)


def test_a_profile_that_the_caller_names_wins(place, home, monkeypatch):
    (home / "credentials").write_text(profile("work", **keys()))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "wrong")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    persist.snapshot([1], place, storage_options=S3Options(profile="work"))
    with pytest.raises(persist.ConfigurationError, match="no AWS profile"):
        persist.snapshot([1], place, storage_options=S3Options(profile="play"))


def test_a_profile_with_a_process(place, home, tmp_path):
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps({"Version": 1, **keys("AccessKeyId", "SecretAccessKey")}))
    (home / "config").write_text(profile("default", credential_process=f"cat {answer}"))
    persist.snapshot([1], place)


def test_the_region_of_a_profile(place, home, monkeypatch):
    (home / "config").write_text(profile("default", region="eu-west-1", **keys()))
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    options = S3Options(deadline=0.001)
    with pytest.raises(persist.S3Error):
        # A region is there; what fails is the deadline.
        persist.get_metadata(place, storage_options=options)


@pytest.fixture
def machine():
    """Gives the credentials of a container or a machine, to those who know how to ask."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self):
            self.answer("token of the machine")

        def do_GET(self):
            expires = (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()
            given = {
                **keys("AccessKeyId", "SecretAccessKey"),
                "Token": "",
                "Expiration": expires.replace("+00:00", "Z"),
            }
            is_list = self.path.endswith("/security-credentials/")
            self.answer("role" if is_list else json.dumps({**given, "Code": "Success"}))

        def answer(self, text):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_arguments):
            pass

    asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_credentials_of_a_container(place, machine, tmp_path, monkeypatch):
    url, asked = machine
    (tmp_path / "token").write_text("token")
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/v1/credentials")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
    # The server of the tests takes no session tokens; that it was asked is what counts.
    with contextlib.suppress(persist.S3AccessDeniedError):
        persist.snapshot([1], place)
    assert asked == ["/v1/credentials"]


def test_the_role_of_a_machine(place, machine, monkeypatch):
    url, asked = machine
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)
    with contextlib.suppress(persist.S3AccessDeniedError):
        persist.snapshot([1], place)
    assert asked[0] == "/latest/api/token"
    assert asked[-1].endswith("/security-credentials/role")
