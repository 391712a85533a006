"""A key that a process holds is in no file, log, metric or exception of it, whatever goes wrong."""

import os
import subprocess
import sys

CANARY = "f4n4ry4711"
LIFE = """
import logging, traceback, warnings
import persist, prometheus_client
from langchain_classic.chains import ConversationChain
from langchain_openai import ChatOpenAI
from persist import metrics

warnings.simplefilter("always")
logging.basicConfig(level=logging.DEBUG)
registry = prometheus_client.CollectorRegistry()
registry.register(metrics.collector())
key = open("key").read()

def told(work):
    try:
        return work()
    except Exception as error:
        traceback.print_exc()
        print(repr(error), vars(error))

model = ChatOpenAI(model="m", api_key=key, base_url="http://127.0.0.1:1", max_retries=0)
chain = ConversationChain(llm=ChatOpenAI(model="m", api_key=key))
states = [model, chain, {"api_key": key}, {"note": f"Bearer {key * 3}"}, [f"http://me:{key}@a.b"]]
for n, state in enumerate(states):
    for policy in ("error", "redact"):
        path = f"{n}-{policy}.json.gz"
        print(persist.inspect(state, secrets_policy=policy))
        print(told(lambda: persist.snapshot(state, path, secrets_policy=policy)))
        for given in ({}, {"OPENAI_API_KEY": key, "api_key": key, "note": key}):
            told(lambda: persist.restore(path, secrets=given))
        told(lambda: persist.load_state(path))
        told(lambda: persist.verify_snapshot(path))
told(lambda: model.invoke("Hello"))
print(prometheus_client.generate_latest(registry).decode())
"""


def test_a_key_is_in_nothing_that_leaves_the_process(tmp_path):
    (tmp_path / "key").write_text(CANARY)
    environment = {
        **{name: value for name, value in os.environ.items() if "_API_KEY" not in name},
        "RUST_LOG": "trace",
        "RUST_BACKTRACE": "1",
        "PERSIST_METRICS_ENABLED": "true",
        "PERSIST_METRICS_ADDR": "127.0.0.1:0",
    }
    done = subprocess.run(
        [sys.executable, "-c", LIFE],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert b"persist_snapshot" in done.stdout
    assert b"MissingSecretError" in done.stderr
    assert b"SecretInStateError" in done.stderr
    (tmp_path / "key").unlink()
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(written) >= 4
    shown = {"output": done.stdout, "errors": done.stderr}
    for name, data in shown.items():
        assert CANARY.encode() not in data, name
    for name, data in written.items():
        text = subprocess.run(["zcat", tmp_path / name], capture_output=True, check=True).stdout
        assert CANARY.encode() not in text + data, name
