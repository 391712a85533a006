"""The ways by which credentials are found, each against a server of this machine.

Two have addresses that cannot be changed, and are not tried here: the container of Amazon's ECS
(`AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`, at 169.254.170.2), whose answer is read as that of a full
URI is, and what `gcloud auth application-default login` leaves, whose refresh token Google's own
server takes. An SSO token that has ended is refreshed by Amazon; a cached one is used here.
"""

import base64
import hashlib
import json
import re
import urllib.request
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import persist
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from persist.options import S3Options
from servers.azurite import ACCOUNT
from servers.azurite import azurite as new_azurite
from servers.certificates import certificate, service_account
from servers.giving import Giving
from servers.seaweedfs import KEY, SECRET
from servers.spoiling import Spoiling


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
def recorded(moto, monkeypatch):
    """A server that asks for no key, behind a proxy that shows by which each request was signed."""
    for name, value in moto.variables().items():
        if "KEY" not in name:
            monkeypatch.setenv(name, value)
    with Spoiling(moto.endpoint).running() as proxy:
        # Not AWS_ENDPOINT_URL: that is where the others of Amazon's services would be, too.
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", proxy.url)
        monkeypatch.delenv("AWS_ENDPOINT_URL")
        yield proxy


URL = "s3://bucket/tests/credentials/a.json.gz"


def signers(recorded):
    """The keys and tokens that requests were signed by."""
    persist.snapshot([1], URL)
    assert persist.restore(URL) == [1]

    def signer(headers):
        found = re.search("Credential=([^/]*)/", headers["authorization"])
        return found[1], headers.get("x-amz-security-token")

    return {signer(request.headers) for request in recorded.requests}


GIVEN = {"AccessKeyId": "givenkey", "SecretAccessKey": "given", "Token": "giventoken"}


def later():
    return datetime.now(timezone.utc) + timedelta(hours=1)


@pytest.fixture
def machine():
    """Gives the credentials of a container or a machine, to those who know how to ask."""
    expires = later().isoformat().replace("+00:00", "Z")
    given = json.dumps({**GIVEN, "Expiration": expires, "Code": "Success"})

    def answer(method, path, headers, body):
        if method == "PUT":
            return "token of the machine"
        return "role" if path.endswith("/security-credentials/") else given

    with Giving(answer).running() as giving:
        yield giving


@pytest.mark.parametrize("authorization", ["none", "token", "file"])
def test_the_credentials_of_a_container(recorded, machine, tmp_path, monkeypatch, authorization):
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{machine.url}/v1/credentials")
    if authorization == "token":
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "pod")
    if authorization == "file":
        (tmp_path / "token").write_text("pod")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
    assert signers(recorded) == {("givenkey", "giventoken")}
    assert [request.path for request in machine.requests] == ["/v1/credentials"]
    sent = machine.requests[0].headers.get("authorization")
    assert sent == (None if authorization == "none" else "pod")


def test_the_role_of_a_machine(recorded, machine, monkeypatch):
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", machine.url)
    assert signers(recorded) == {("givenkey", "giventoken")}
    first, *_, last = machine.requests
    assert (first.method, first.path) == ("PUT", "/latest/api/token")
    assert last.path.endswith("/security-credentials/role")
    assert last.headers["x-aws-ec2-metadata-token"] == "token of the machine"


def test_a_web_identity(recorded, moto, tmp_path, monkeypatch):
    files = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(files.authority))
    (tmp_path / "token").write_text("token of the pod")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/persist")
    monkeypatch.setenv("AWS_ROLE_SESSION_NAME", "bot")

    def ask(_method, path, _headers, _body):
        # Amazon takes the parameters in the URL, moto in the body.
        request = urllib.request.Request(moto.endpoint, path.partition("?")[2].encode())
        with urllib.request.urlopen(request) as answer:
            return answer.read().decode()

    with Giving(ask, files).running() as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        ((key, token),) = signers(recorded)
    asked = parse_qs(urlsplit(sts.requests[0].path).query)
    assert asked["WebIdentityToken"] == ["token of the pod"]
    assert asked["RoleSessionName"] == ["bot"]
    # What moto gives for a role begins as Amazon's temporary keys do.
    assert key.startswith("ASIA")
    assert token


def test_single_sign_on(recorded, home, monkeypatch):
    """The token that `aws sso login` left is exchanged for the keys of the role."""
    (home / "config").write_text(
        profile(
            "profile work",
            sso_session="corporation",
            sso_account_id="123456789012",
            sso_role_name="Snapshots",
        )
        + profile(
            "sso-session corporation", sso_region="eu-west-1", sso_start_url="https://start.example"
        )
    )
    cached = {
        "accessToken": "token of the login",
        "expiresAt": later().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "eu-west-1",
        "startUrl": "https://start.example",
    }
    (home / "sso/cache").mkdir(parents=True)
    name = hashlib.sha1(b"corporation").hexdigest()
    (home / f"sso/cache/{name}.json").write_text(json.dumps(cached))
    keys = {
        "accessKeyId": "givenkey",
        "secretAccessKey": "given",
        "sessionToken": "giventoken",
        "expiration": int(later().timestamp() * 1000),
    }
    with Giving(lambda *_: json.dumps({"roleCredentials": keys})).running() as portal:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", portal.url)
        monkeypatch.setenv("AWS_PROFILE", "work")
        assert signers(recorded) == {("givenkey", "giventoken")}
    (request,) = portal.requests
    assert request.path == "/federation/credentials?role_name=Snapshots&account_id=123456789012"
    assert request.headers["x-amz-sso_bearer_token"] == "token of the login"


def jwt(**claims):
    """A token as Microsoft's, but for its signature."""

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    now = int(datetime.now(timezone.utc).timestamp())
    times = {"iat": now - 60, "nbf": now - 60, "exp": now + 3600}
    issuer = "https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/"
    audience = {"aud": "https://storage.azure.com", "iss": issuer}
    return f"{part({'alg': 'RS256', 'typ': 'JWT'})}.{part({**times, **audience, **claims})}.c2ln"


@pytest.fixture
def entra(tmp_path_factory, monkeypatch):
    """A store that takes the tokens of Microsoft Entra alone, and who gives them."""
    folder = tmp_path_factory.mktemp("entra")
    files = certificate(folder)
    monkeypatch.setenv("SSL_CERT_FILE", str(files.authority))
    store = new_azurite(folder, files)

    def answer(method, path, headers, body):
        return json.dumps({"access_token": jwt(), "expires_in": 3600, "expires_on": "4102444800"})

    with store.server.running(), Giving(answer, files).running() as giving:
        store.make_bucket("bucket")
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT)
        monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", store.endpoint)
        yield giving


def works_on_azure():
    persist.snapshot([1], "az://bucket/a.json.gz")
    assert persist.restore("az://bucket/a.json.gz") == [1]


def test_a_store_of_entra_refuses_others(entra, monkeypatch):
    monkeypatch.setenv("AZURE_STORAGE_TOKEN", jwt(aud="https://elsewhere.example"))
    with pytest.raises(persist.AzureAccessDeniedError):
        persist.snapshot([1], "az://bucket/a.json.gz")


def test_the_managed_identity_of_a_machine(entra, monkeypatch):
    monkeypatch.setenv("AZURE_MSI_ENDPOINT", f"{entra.url}/metadata/identity/oauth2/token")
    works_on_azure()
    (request,) = entra.requests
    assert request.headers["metadata"] == "true"
    assert "resource=https" in request.path


def test_an_application_with_a_secret(entra, monkeypatch):
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", entra.url)
    monkeypatch.setenv("AZURE_TENANT_ID", "tenant")
    monkeypatch.setenv("AZURE_CLIENT_ID", "application")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "secret of the application")
    works_on_azure()
    (request,) = entra.requests
    assert request.path == "/tenant/oauth2/v2.0/token"
    assert parse_qs(request.body.decode())["client_secret"] == ["secret of the application"]


def test_a_workload_identity(entra, tmp_path, monkeypatch):
    (tmp_path / "token").write_text("token of the pod")
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", entra.url)
    monkeypatch.setenv("AZURE_TENANT_ID", "tenant")
    monkeypatch.setenv("AZURE_CLIENT_ID", "application")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "token"))
    works_on_azure()
    (request,) = entra.requests
    assert parse_qs(request.body.decode())["client_assertion"] == ["token of the pod"]


@pytest.fixture
def google(gcs, monkeypatch):
    """A server that asks for no token, behind a proxy that shows those that came."""
    with Spoiling(f"http://{gcs.host}").running() as proxy:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.url)
        yield proxy


def bearers(google):
    """The tokens of all requests."""
    persist.snapshot([1], "gs://bucket/tests/credentials/a.json.gz")
    assert persist.restore("gs://bucket/tests/credentials/a.json.gz") == [1]
    return {request.headers["authorization"].removeprefix("Bearer ") for request in google.requests}


@pytest.mark.parametrize("variable", ["GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SERVICE_ACCOUNT"])
def test_the_file_of_a_service_account(google, tmp_path, monkeypatch, variable):
    """Its key signs the token itself: Google gives none, and its `token_uri` is not asked."""
    key = rsa.generate_private_key(65537, 2048)
    (tmp_path / "account.json").write_text(json.dumps(service_account(key)))
    monkeypatch.setenv(variable, str(tmp_path / "account.json"))
    (token,) = bearers(google)
    signed, _, signature = token.rpartition(".")

    def decoded(text):
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    key.public_key().verify(
        decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    claims = json.loads(decoded(signed.partition(".")[2]))
    assert claims["iss"] == "persist@project.iam.gserviceaccount.com"
    assert "cloud-platform" in claims["scope"]


def test_the_identity_of_a_machine_of_google(google, monkeypatch):
    answer = json.dumps({"access_token": "token of the machine", "expires_in": 3600})
    with Giving(lambda *_: answer).running() as metadata:
        monkeypatch.setenv("GCE_METADATA_HOST", metadata.url.partition("://")[2])
        assert bearers(google) == {"token of the machine"}
    assert metadata.requests[0].headers["metadata-flavor"] == "Google"
