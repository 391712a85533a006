"""The policy of the guide: with it every verb works, and it names no action that nothing needs."""

import copy
import json
import os
import re
import uuid
from pathlib import Path

import persist
import pytest
from persist.options import S3Options

GUIDE = Path(__file__).parents[2] / "docs/guides/s3.md"
BUCKET = "my-ai-snapshots-bucket"
POLICY = json.loads(re.search(r"```json\n(.*?)```", GUIDE.read_text(), re.DOTALL)[1])
PART = 5 << 20
LONG = [os.urandom(PART + 100_000)]


def actions(statement):
    named = statement["Action"]
    return [named] if isinstance(named, str) else named


ACTIONS = [action for statement in POLICY["Statement"] for action in actions(statement)]
REFUSED = {
    "s3:GetObject": {"restore", "metadata", "verify", "exists", "delete"},
    "s3:PutObject": {"snapshot", "snapshot in parts"},
    "s3:DeleteObject": {"delete"},
    "s3:ListBucket": {"list"},
    # SeaweedFS asks for s3:PutObject instead.
    "s3:AbortMultipartUpload": set(),
}
"""What is refused without each."""


@pytest.fixture
def s3_of_guide(s3):
    s3.make_bucket(BUCKET)
    return s3


def without(action):
    """The policy, but for an action."""
    policy = copy.deepcopy(POLICY)
    for statement in policy["Statement"]:
        statement["Action"] = [one for one in actions(statement) if one != action]
    policy["Statement"] = [one for one in policy["Statement"] if one["Action"]]
    return policy


def options_of(variables):
    """What a user says of itself; the environment stays the administrator's."""
    return S3Options(
        access_key_id=variables["AWS_ACCESS_KEY_ID"],
        secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        multipart_threshold=PART,
        part_size=PART,
    )


def refused(on_s3, s3, policy, folder):
    """The verbs that a user with this policy may not do."""
    name = uuid.uuid4().hex
    way = {"storage_options": options_of(s3.make_user(name, policy))}
    place = f"s3://{BUCKET}/{folder}/{name}"
    old, new = f"{place}/old.json.gz", f"{place}/new.json.gz"
    persist.snapshot(["old"], old)
    verbs = {
        "snapshot": lambda: persist.snapshot(["new"], new, overwrite=False, **way),
        "snapshot in parts": lambda: persist.snapshot(LONG, f"{place}/long.json.gz", **way),
        "restore": lambda: persist.restore(old, **way),
        "metadata": lambda: persist.get_metadata(old, **way),
        "verify": lambda: persist.verify_snapshot(old, **way),
        "exists": lambda: persist.snapshot_exists(old, **way),
        "list": lambda: list(persist.list_snapshots(place, **way)),
        "delete": lambda: persist.delete_snapshot(old, **way),
    }
    return {verb for verb, does in verbs.items() if is_refused(does)}


def is_refused(does):
    try:
        does()
    except persist.S3AccessDeniedError:
        return True
    return False


def test_with_the_policy_every_verb_works(on_s3, s3_of_guide):
    assert refused(on_s3, s3_of_guide, POLICY, "agents") == set()


def test_the_policy_gives_nothing_elsewhere(on_s3, s3_of_guide):
    # Listing is of the whole bucket: else Amazon answers a missing key with a refusal.
    everything = set().union(*REFUSED.values()) - {"list"}
    assert refused(on_s3, s3_of_guide, POLICY, "elsewhere") == everything


@pytest.mark.parametrize("action", ACTIONS)
def test_no_action_of_the_policy_can_be_left_out(on_s3, s3_of_guide, action):
    assert refused(on_s3, s3_of_guide, without(action), "agents") == REFUSED[action]
    assert f"| `{action}` |" in GUIDE.read_text()


def test_an_upload_that_fails_may_remove_its_parts(on_s3, s3_of_guide):
    name = uuid.uuid4().hex
    way = {"storage_options": options_of(s3_of_guide.make_user(name, POLICY))}
    key = f"agents/{name}/a.json.gz"
    persist.snapshot(["old"], f"s3://{BUCKET}/{key}")
    with pytest.raises(persist.S3ConflictError):
        persist.snapshot(LONG, f"s3://{BUCKET}/{key}", overwrite=False, **way)
    uploads = s3_of_guide.client().list_multipart_uploads(Bucket=BUCKET, Prefix=key)
    assert not uploads.get("Uploads")
