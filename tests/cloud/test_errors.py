"""What a failure says: the store, the key, the reason; never a secret."""

import socket

import persist
import pytest
from persist.options import AzureOptions, GCSOptions, S3Options

SECRETS = ("persistsecretcanary", "readersecretcanary", "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1")


def test_a_missing_bucket_says_so(store):
    url = f"{store.scheme}://nosuchbucket/a.json.gz"
    for verb in (
        persist.restore,
        persist.get_metadata,
        persist.snapshot_exists,
        persist.delete_snapshot,
        lambda url: persist.snapshot({}, url),
        lambda url: list(persist.list_snapshots(url.rpartition("/")[0])),
    ):
        with pytest.raises(store.double("NotFoundError"), match="no such bucket") as caught:
            verb(url)
        assert "nosuchbucket" in str(caught.value)
        assert not caught.value.retryable


def test_wrong_credentials_are_refused(on_s3, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrongsecretcanary")
    for verb in (
        persist.restore,
        persist.snapshot_exists,
        lambda url: persist.snapshot({}, url),
        lambda url: list(persist.list_snapshots(url)),
    ):
        with pytest.raises(PermissionError) as caught:
            verb(on_s3.url("a.json.gz"))
        error = caught.value
        assert isinstance(error, persist.S3Error)
        assert isinstance(error, persist.S3AccessDeniedError)
        assert error.request_id
        assert error.request_id in str(error)
        assert "canary" not in f"{error!s}{error!r}{error.__dict__}"


def test_a_reader_may_not_write(on_s3, s3, monkeypatch):
    from servers.seaweedfs import READER, READER_SECRET

    persist.snapshot([1], on_s3.url("a.json.gz"))
    for name, value in s3.variables(READER, READER_SECRET).items():
        monkeypatch.setenv(name, value)
    assert persist.restore(on_s3.url("a.json.gz")) == [1]
    with pytest.raises(persist.S3AccessDeniedError):
        persist.snapshot([2], on_s3.url("a.json.gz"))


def test_wrong_credentials_are_refused_by_azure(azure, monkeypatch):
    wrong = azure.variables(key="d3JvbmdzZWNyZXRjYW5hcnk=")
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(persist.AzureAccessDeniedError) as caught:
        persist.snapshot_exists("az://bucket/a.json.gz")
    assert "d3Jvb" not in str(caught.value)


def dead_endpoint():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


DEAD = {
    "s3": lambda: S3Options(
        endpoint=dead_endpoint(), access_key_id="k", secret_access_key="canary", deadline=1
    ),
    "az": lambda: AzureOptions(
        endpoint=dead_endpoint(), account="a", account_key="Y2FuYXJ5", deadline=1
    ),
    "gs": lambda: GCSOptions(endpoint=dead_endpoint(), deadline=1),
}


@pytest.mark.parametrize("scheme", DEAD)
def test_a_dead_endpoint_is_an_error_and_not_an_absence(scheme):
    options = DEAD[scheme]()
    with pytest.raises(persist.StorageError) as caught:
        persist.snapshot_exists(f"{scheme}://bucket/a.json.gz", storage_options=options)
    assert caught.value.retryable
    assert caught.value.store == f"{scheme}://bucket"
    assert "refused" in str(caught.value)


def test_an_endpoint_that_never_answers_ends_at_the_deadline():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
        options = S3Options(
            endpoint=endpoint, access_key_id="k", secret_access_key="canary", deadline=0.5
        )
        with pytest.raises(persist.S3TimeoutError, match=r"no answer within 0\.5 s") as caught:
            persist.get_metadata("s3://bucket/a.json.gz", storage_options=options)
        assert isinstance(caught.value, TimeoutError)
        assert caught.value.retryable


@pytest.mark.parametrize(
    ("url", "variables", "named"),
    [
        ("s3://bucket/a", {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}, "AWS_REGION"),
        ("s3://bucket/a", {"AWS_REGION": "eu-west-1"}, "AWS_ACCESS_KEY_ID"),
        (
            "s3://bucket/a",
            {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "k"},
            "AWS_SECRET_ACCESS_KEY",
        ),
        ("az://container/a", {}, "AZURE_STORAGE_ACCOUNT_NAME"),
    ],
)
def test_what_is_missing_is_named(url, variables, named, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(persist.ConfigurationError) as caught:
        persist.get_metadata(url)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    "place",
    [
        {"storage_mode": "s3"},
        {"storage_mode": "azure"},
        {"storage_mode": "gcs"},
        {"storage_mode": "s3", "gcs_bucket": "bucket"},
        {"s3_bucket": "bucket"},
        {"storage_mode": "ftp"},
        {"storage_options": S3Options()},
        {"storage_mode": "s3", "s3_bucket": "b", "storage_options": GCSOptions()},
        {"s3_region": "eu-west-1"},
    ],
)
def test_places_that_contradict_themselves_are_refused(place):
    with pytest.raises(persist.ConfigurationError):
        persist.get_metadata("a.json.gz", **place)


def test_options_show_no_secret():
    options = S3Options(access_key_id="k", secret_access_key="canary", session_token="canary")
    assert "canary" not in repr(options)
    connection = AzureOptions(account_key="canary", connection_string="canary", sas_token="canary")
    assert "canary" not in repr(connection)


def test_the_environment_of_the_moment_counts(on_s3, monkeypatch):
    persist.snapshot([1], on_s3.url("a.json.gz"))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with pytest.raises(persist.S3AccessDeniedError):
        persist.restore(on_s3.url("a.json.gz"))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", on_s3.variables["AWS_SECRET_ACCESS_KEY"])
    assert persist.restore(on_s3.url("a.json.gz")) == [1]


def test_options_win_over_the_environment(on_s3, monkeypatch):
    keys = S3Options(
        access_key_id=on_s3.variables["AWS_ACCESS_KEY_ID"],
        secret_access_key=on_s3.variables["AWS_SECRET_ACCESS_KEY"],
    )
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "wrong")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of another key")
    persist.snapshot([1], on_s3.url("a.json.gz"), storage_options=keys)
    assert persist.restore(on_s3.url("a.json.gz"), storage_options=keys) == [1]
