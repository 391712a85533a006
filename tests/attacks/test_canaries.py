"""A key that a process holds is in no file, log, metric, span or exception of it.

What people said is in the file alone, whatever goes wrong.
"""

import os
import subprocess
import sys

import pytest
from observability.receiver import of_jaeger, of_otlp, receiving

CANARY, WORDS = "f4n4ry4711", "w0rds0fann"
READERS = {"/api/traces": of_jaeger, "/v1/traces": of_otlp}
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
key, words = open("key").read(), open("words").read()

def told(work):
    try:
        return work()
    except Exception as error:
        traceback.print_exc()
        print(repr(error), vars(error))

model = ChatOpenAI(model="m", api_key=key, base_url="http://127.0.0.1:1", max_retries=0)
chain = ConversationChain(llm=ChatOpenAI(model="m", api_key=key))
chain.memory.chat_memory.add_user_message(words)
states = [model, chain, {"api_key": key}, {"note": f"Bearer {key * 3}"}, [f"http://me:{key}@a.b"]]
states += [[{"said": words, "f": print}], {"said": [words, {words}], "n": float("nan")}]
for n, state in enumerate(states):
    for policy in ("error", "redact"):
        path = f"{n}-{policy}.json.gz"
        print(persist.inspect(state, secrets_policy=policy))
        print(told(lambda: persist.snapshot(state, path, secrets_policy=policy)))
        for given in ({}, {"OPENAI_API_KEY": key, "api_key": key, "note": key}):
            told(lambda: persist.restore(path, secrets=given))
        told(lambda: persist.load_state(path))
        told(lambda: persist.verify_snapshot(path))
        told(lambda: persist.restore(path, into=ConversationChain(llm=model)))
        told(lambda: persist.loads(open(path, "rb").read()[:-9]))
        told(lambda: persist.snapshot(state, path, secrets_policy=policy, overwrite=False))
told(lambda: model.invoke("Hello"))
print(prometheus_client.generate_latest(registry).decode())
"""


@pytest.mark.parametrize("traces", READERS)
def test_a_key_is_in_nothing_that_leaves_the_process(traces, tmp_path):
    (tmp_path / "key").write_text(CANARY)
    (tmp_path / "words").write_text(WORDS)
    with receiving() as collector:
        done = live(tmp_path, collector.url + traces)
    assert done.returncode == 0, done.stderr
    assert b"persist_snapshot" in done.stdout
    for name in (b"MissingSecretError", b"SecretInStateError", b"UnserializableStateError"):
        assert name in done.stderr
    bodies = collector.bodies(traces)
    spans = READERS[traces](bodies)
    names = {span.name for span in spans}
    assert {"persist.snapshot", "persist.restore", "persist.encode", "persist.save"} <= names
    assert any(span.failed for span in spans)
    # The bytes hold all of a span: name, attributes, events, status, resource.
    shown = {"output": done.stdout, "errors": done.stderr, "spans": b"".join(bodies)}
    for name, data in shown.items():
        assert CANARY.encode() not in data, name
        assert WORDS.encode() not in data, name
    (tmp_path / "key").unlink()
    (tmp_path / "words").unlink()
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(written) >= 4
    texts = {name: unpacked(tmp_path / name) for name in written}
    for name, text in texts.items():
        assert CANARY.encode() not in text + written[name], name
    assert any(WORDS.encode() in text for text in texts.values())


def live(folder, collector):
    environment = {
        **{name: value for name, value in os.environ.items() if "_API_KEY" not in name},
        "RUST_LOG": "trace",
        "RUST_BACKTRACE": "1",
        "PERSIST_METRICS_ENABLED": "true",
        "PERSIST_METRICS_ADDR": "127.0.0.1:0",
        "PERSIST_JAEGER_ENDPOINT": collector,
    }
    return subprocess.run(
        [sys.executable, "-c", LIFE],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
        timeout=240,
    )


def unpacked(path):
    return subprocess.run(["zcat", path], capture_output=True, check=True).stdout
