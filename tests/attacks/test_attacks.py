"""Every published attack, and those that we could think of, tried on every verb that reads.

An audit hook of the interpreter sees each file, process, socket and import; the attack fails the
test by doing anything, and not by the error that it ends in.
"""

import contextlib
import json
import socket
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path

import persist
import pytest
from loading import load

HERE = Path(__file__).parent
SECRET_VALUE = "canary-value-4711"


attacks = load(HERE / "attacks.py")
vectors = load(HERE.parent / "vectors" / "generate.py")
FORBIDDEN = {
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "subprocess.Popen",
    "socket.connect",
    "socket.getaddrinfo",
    "pickle.find_class",
    "urllib.Request",
}
watching = threading.local()


def _watch(event, arguments):
    seen = getattr(watching, "seen", None)
    if seen is None:
        return
    is_open = event == "open" and str(arguments[0]).endswith(("/etc/passwd", ".canary"))
    if is_open or event in FORBIDDEN:
        seen.append((event, arguments))


sys.addaudithook(_watch)


@contextlib.contextmanager
def watched():
    watching.seen = []
    try:
        yield watching.seen
    finally:
        watching.seen = None


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server


@pytest.fixture
def written(tmp_path, listener, monkeypatch):
    """Writes a hostile state, well formed but for what it holds."""
    monkeypatch.setenv(attacks.SECRET, SECRET_VALUE)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-row")
    port = str(listener.getsockname()[1])

    def write(state, *, adapter="plain", is_original=False):
        text = json.dumps(state, separators=(",", ":"))
        text = text.replace("@canary@", str(tmp_path / "a.canary")).replace("@port@", port).encode()
        path = tmp_path / "hostile.json.gz"
        if is_original:
            path.write_bytes(vectors.original(text))
        else:
            parts = [text[n : n + 1_000_000] for n in range(0, len(text), 1_000_000)]
            path.write_bytes(
                vectors.native(text, texts=parts, edit=lambda data: {**data, "adapter": adapter})
            )
        return path

    return write


def try_all(path, listener, tmp_path):
    """What each verb answers; the attack must have had no effect."""
    answers = []
    for verb in (
        persist.verify_snapshot,
        persist.get_metadata,
        persist.load_state,
        persist.restore,
    ):
        with watched() as seen:
            try:
                answer = verb(path)
            except persist.PersistError as error:
                answer = error
        assert seen == [], verb
        assert SECRET_VALUE not in _shown(answer), verb
        answers.append(answer)
    assert not list(tmp_path.glob("*.canary"))
    with pytest.raises(BlockingIOError):
        listener.accept()
    return answers


def _shown(answer):
    if isinstance(answer, BaseException):
        causes = [answer, answer.__cause__, answer.__context__]
        return " ".join(f"{cause!r} {vars(cause) if cause else ''}" for cause in causes)
    return "" if isinstance(answer, (dict, list)) else repr(answer)


@pytest.mark.parametrize("shape", ["native", "original"])
@pytest.mark.parametrize("name", attacks.LANGCHAIN)
def test_langchains_json(name, shape, written, listener, tmp_path):
    path = written(attacks.LANGCHAIN[name], is_original=shape == "original")
    *_, restored = try_all(path, listener, tmp_path)
    if name.startswith(("a model", "a prompt")):
        assert isinstance(restored, persist.PersistError) or "key" in name
        if isinstance(restored, persist.UntrustedError):
            assert "allow=" in restored.hint


def test_the_command_looks_at_all_of_them_and_builds_none(written, listener, tmp_path):
    folder = tmp_path / "all"
    folder.mkdir()
    states = [*attacks.LANGCHAIN.values(), *attacks.TYPED.values(), *attacks.ADAPTERS.values()]
    small = [state for state in states if len(str(state)) < 100_000]
    for n, state in enumerate(small):
        written(state).rename(folder / f"{n}.json.gz")
    first, last = folder / "0.json.gz", folder / f"{len(small) - 1}.json.gz"
    for verb in (
        ["list", folder],
        ["show", folder, "--json"],
        ["verify", folder, "--json"],
        ["export", folder, "-o", tmp_path / "states"],
        ["diff", first, last],
        ["convert", folder, tmp_path / "again", "--compression", "zstd"],
    ):
        command = Path(sysconfig.get_path("scripts"), "persist")
        done = subprocess.run([command, *verb], capture_output=True, check=False, timeout=60)
        assert done.returncode in (0, 3, 4), (verb, done)
        assert SECRET_VALUE.encode() not in done.stdout + done.stderr
    assert len(list((tmp_path / "states").iterdir())) > len(small) // 2
    assert not list(tmp_path.glob("**/*.canary"))
    with pytest.raises(BlockingIOError):
        listener.accept()


@pytest.mark.parametrize("name", attacks.TYPED)
def test_typed_json(name, written, listener, tmp_path):
    *_, restored = try_all(written(attacks.TYPED[name]), listener, tmp_path)
    if name.startswith("a prompt"):
        assert isinstance(restored, persist.UntrustedError)


@pytest.mark.parametrize("name", attacks.ADAPTERS)
def test_envelopes(name, written, listener, tmp_path):
    envelope = attacks.ADAPTERS[name]
    path = written(envelope, adapter=envelope["adapter"])
    *_, restored = try_all(path, listener, tmp_path)
    assert isinstance(restored, persist.PersistError)


def test_a_key_of_the_row_is_all_that_a_model_gets(written):
    path = written(attacks.openai(openai_api_key=attacks.LEAK))
    assert persist.restore(path).openai_api_key.get_secret_value() == "sk-of-the-row"


def test_no_module_is_imported_that_a_file_names(written, tmp_path):
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')")
    path = written({"a": attacks.tag("enum", {"class": "evil:Color", "name": "RED"})})
    script = (
        f"import sys, persist; sys.path.insert(0, {str(tmp_path)!r}); persist.restore(sys.argv[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, text=True, check=False
    )
    assert "UntrustedError" in done.stderr
    assert "evil" in done.stderr
    assert 'allow={"evil.Color": True}' in done.stderr.replace("'", '"')


@pytest.mark.parametrize("depth", [600, 100_000])
@pytest.mark.parametrize("opening", ["[", '{"a":', '{"$persist":"tuple","v":['])
def test_depth_is_bounded(depth, opening, tmp_path):
    text = (opening * depth).encode()
    path = tmp_path / "deep.json.gz"
    path.write_bytes(vectors.native(text + b"1", texts=[text + b"1"]))
    for verb in (persist.verify_snapshot, persist.load_state, persist.restore):
        with pytest.raises(persist.FormatError):
            verb(path)


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY"])
def test_a_file_cannot_place_the_key_of_a_model_elsewhere(name, written):
    path = written({"prompt": ["My key is ", attacks.tag("secret", name)]})
    with pytest.raises(persist.UntrustedError, match=name):
        persist.restore(path, secrets={name: "sk-of-the-caller"})


def test_a_redacted_value_of_that_name_has_a_name_of_its_own():
    data = persist.dumps({"OPENAI_API_KEY": "k"}, redact=["OPENAI_API_KEY"])
    with pytest.raises(persist.MissingSecretError) as caught:
        persist.loads(data, secrets={"OPENAI_API_KEY": "k"})
    assert "redacted.OPENAI_API_KEY" in caught.value.hint
    restored = persist.loads(data, secrets={"redacted.OPENAI_API_KEY": "k"})
    assert restored == {"OPENAI_API_KEY": "k"}
