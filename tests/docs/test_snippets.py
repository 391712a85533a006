"""Every Python snippet in README and docs runs; the models in them are scripted."""

import re
import sys
import types
from pathlib import Path

import langchain_openai
import persist
import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from persist.adapters import _registry as adapters
from persist.codec import _registry as kinds

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
PAGES = [ROOT / "README.md", ROOT / "persist-python/README.md", *sorted(ROOT.glob("docs/**/*.md"))]
SNIPPETS = [
    pytest.param(
        match[1],
        id=f"{page.relative_to(ROOT)}:{page.read_text()[: match.start()].count(chr(10)) + 1}",
    )
    for page in PAGES
    for match in re.finditer(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
]

BUCKETS = {
    "my-ai-snapshots-bucket": "s3",
    "my-ai-snapshots-container": "azure",
    "my-ai-snapshots-gcs": "gcs",
}
"""What snippets name, and the server that has it."""


class Offline(FakeListChatModel):
    """Takes the place of a model that needs a network."""

    def __init__(self, **_settings):
        super().__init__(responses=["Hello, how can I help?"])


@pytest.fixture(autouse=True)
def sandbox(tmp_path, monkeypatch):
    """A folder of its own, models without a network, and no registration that stays."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUST_LOG", "")  # a snippet sets it
    monkeypatch.setattr(langchain_openai, "ChatOpenAI", Offline)
    monkeypatch.setattr("langchain.agents.factory.init_chat_model", lambda *_a, **_k: Offline())
    # The stand-in is known to the codec as its parent is.
    monkeypatch.setitem(kinds._classes, f"{__name__}.Offline", Offline)
    # Kinds that adapters bring when they are loaded stay.
    adapters._installed()
    monkeypatch.setattr(adapters, "_registered", {})
    monkeypatch.setattr(kinds, "_kinds", list(kinds._kinds))
    yield
    kinds.kind_of.cache_clear()


@pytest.fixture
def clouds(request, monkeypatch):
    """What a snippet that names a bucket reaches: a server of this machine, with its own key."""
    code = request.node.callspec.params["code"]
    for bucket, cloud in BUCKETS.items():
        if bucket in code:
            server = request.getfixturevalue(cloud)
            server.make_bucket(bucket)
            for name, value in server.variables().items():
                monkeypatch.setenv(name, value)


@pytest.mark.parametrize("code", SNIPPETS)
@pytest.mark.usefixtures("clouds")
@pytest.mark.filterwarnings("ignore::langchain_core._api.deprecation.LangChainDeprecationWarning")
def test_a_snippet_runs(code, monkeypatch):
    module = types.ModuleType("snippet")
    monkeypatch.setitem(sys.modules, "snippet", module)
    hooks = []
    monkeypatch.setattr(
        persist, "shutdown_hook", lambda *a, **k: hooks.append(_hook(*a, **k)) or hooks[-1]
    )
    exec(compile(code, "snippet", "exec"), vars(module))
    for hook in hooks:
        hook.cancel()


_hook = persist.shutdown_hook


def test_there_are_snippets():
    assert len(SNIPPETS) > 20
