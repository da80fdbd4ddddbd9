"""The synchronous client: the same verbs, from any thread."""

import asyncio
import inspect
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import assay
from assay import AsyncClient, Client, errors, loop_thread
from assay.loop_thread import LoopThread
from assay.transfer.threads import in_thread
from assay.v1.event_pb2 import Event
from assay.v1.model_pb2 import Model
from assay.v1.registry_service_pb2 import GetModelResponse, ListModelsResponse
from assay.v1.watch_service_pb2 import WatchResponse
from tests.clients.python.serving import Handler, serving
from tests.clients.python.storing import Store


@pytest.fixture
def connected() -> Iterator[Any]:
    """A function that makes a client of a server with these handlers, both on one thread."""
    thread = LoopThread.shared()
    with ExitStack() as stack:
        stack.callback(thread.release)

        def connect(handlers: dict[str, Handler]) -> Client:
            server = serving(handlers)
            target = thread.run(server.__aenter__())
            stack.callback(lambda: thread.run(server.__aexit__(None, None, None)))
            return stack.enter_context(Client(target, tls=None))

        yield connect


async def get_model(request: Any, context: Any) -> GetModelResponse:
    return GetModelResponse(model=Model(name=request.name))


def test_every_verb_is_there_with_the_same_arguments_and_words() -> None:
    own = {"stubs", "close", "from_context", "within", "namespace", "target"}
    verbs = {name for name in dir(AsyncClient) if not name.startswith("_")} - own

    assert not [name for name in verbs if not hasattr(Client, name)]
    for name in verbs:
        verb, waited = getattr(AsyncClient, name), getattr(Client, name)
        assert inspect.signature(verb).parameters == inspect.signature(waited).parameters
        assert verb.__doc__ == waited.__doc__


def test_every_public_name_is_listed_in_order_and_there() -> None:
    assert sorted(assay.__all__) == sorted(set(assay.__all__))
    assert all(hasattr(assay, name) for name in assay.__all__)


def test_threads_share_one_client(connected: Any) -> None:
    client = connected({"GetModel": get_model})

    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda n: client.get_model(f"vision/m{n}").name, range(64)))

    assert names == [f"namespaces/vision/models/m{n}" for n in range(64)]


def test_lists_and_watches_are_ordinary_iterators(connected: Any) -> None:
    ended = threading.Event()

    async def list_models(request: Any, context: Any) -> Any:
        return ListModelsResponse(models=[Model(name="a"), Model(name="b")])

    async def watch(request: Any, context: Any) -> Any:
        try:
            revision = 0
            while True:
                revision += 1
                response = WatchResponse(revision=revision)
                response.events.add(name="x")
                yield response
        finally:
            ended.set()

    client = connected({"ListModels": list_models, "Watch": watch})

    assert [model.name for model in client.list_models()] == ["a", "b"]
    for change in client.watch(start_revision=1):
        if change.revision == 3:
            break
    assert ended.wait(5)


def test_files_go_there_and_back(connected: Any, tmp_path: Path) -> None:
    store = Store()
    store.hold({"a.bin": b"123"})
    client = connected(store.handlers())
    (tmp_path / "a.bin").write_bytes(b"123")

    client.push(tmp_path / "a.bin", to="vision/digits")
    pulled = client.pull("vision/digits/1", to=tmp_path / "out")

    assert (pulled.directory / "a.bin").read_bytes() == b"123"


def test_a_refusal_reaches_the_thread_that_asked(connected: Any) -> None:
    client = connected({})

    with pytest.raises(errors.MethodUnknown):
        client.whoami()


def test_a_verb_called_from_a_callback_is_refused_instead_of_waiting_for_ever(
    connected: Any, tmp_path: Path
) -> None:
    client = connected(Store().handlers())
    (tmp_path / "a.bin").write_bytes(b"123")

    with pytest.raises(errors.ForeignLoop, match="callback"):
        client.push(tmp_path / "a.bin", to="a/b", on_progress=lambda _: client.whoami())


def test_an_iterator_that_the_clients_own_thread_collects_ends_its_call(connected: Any) -> None:
    ended = threading.Event()

    async def watch(request: Any, context: Any) -> Any:
        try:
            yield WatchResponse(revision=1, events=[Event(name="x")])
            await asyncio.Event().wait()
        finally:
            ended.set()

    client = connected({"Watch": watch})
    kept = [client.watch(start_revision=1)]
    next(kept[0])

    async def collect() -> None:
        kept.clear()  # the last reference: a garbage collector may run in any thread

    thread = LoopThread.shared()
    thread.run(collect())
    thread.release()

    assert ended.wait(5)


def test_an_iterator_left_after_its_client_was_closed_ends_in_silence(connected: Any) -> None:
    async def list_models(request: Any, context: Any) -> Any:
        return ListModelsResponse(models=[Model(name="a"), Model(name="b")])

    client = connected({"ListModels": list_models})
    models = client.list_models("vision")
    next(models)

    client.close()

    models.close()


def test_a_closed_client_says_so_and_closes_twice(connected: Any) -> None:
    client = connected({"GetModel": get_model})
    client.get_model("a/b")

    client.close()
    client.close()

    with pytest.raises(errors.ClientClosed):
        client.get_model("a/b")


def test_closing_ends_what_another_thread_waits_for(connected: Any) -> None:
    asked = threading.Event()

    async def never(request: Any, context: Any) -> Any:
        asked.set()
        await asyncio.Event().wait()

    client = connected({"WhoAmI": never})
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.whoami)
        assert asked.wait(5)

        client.close()

        with pytest.raises(errors.ClientClosed):
            waiting.result(5)


def test_a_view_with_other_limits_shares_the_client(connected: Any) -> None:
    async def slow(request: Any, context: Any) -> Any:
        await asyncio.Event().wait()

    client = connected({"WhoAmI": slow, "GetModel": get_model})

    with pytest.raises(errors.DeadlinePassed):
        client.within(0.2).whoami()

    assert client.get_model("a/b").name == "namespaces/a/models/b"


ONE_THREAD = """
import threading
from assay import Client, errors
def threads():
    return [thread.name for thread in threading.enumerate() if thread.name == "assay-client"]
with Client("localhost:1", tls=None) as one, Client("localhost:1", tls=None) as other:
    print(len(threads()))
    for client in (one, other):
        try:
            client.whoami()
        except errors.ConnectionFailed:
            print(len(threads()))
print(len(threads()))
"""


def test_the_thread_begins_with_the_first_question_and_ends_with_the_last_client() -> None:
    # A process of its own: other tests keep clients, and all clients share the thread.
    done = subprocess.run(
        [sys.executable, "-c", ONE_THREAD], capture_output=True, text=True, timeout=60
    )

    assert done.stdout.split() == ["0", "1", "1", "0"], done.stderr


INTERRUPTED = """
import os, signal, sys
from assay import Client
from assay.transfer.progress import Step
def stop(progress):
    if progress.step is Step.RECEIVING and progress.done_bytes:
        os.kill(os.getpid(), signal.SIGINT)
client = Client(sys.argv[1], tls=None)
try:
    client.pull("vision/digits/1", to=sys.argv[2], on_progress=stop)
except KeyboardInterrupt:
    import pathlib
    print(sorted(p.name for p in pathlib.Path(sys.argv[2]).parent.iterdir()))
"""


def test_an_interrupted_verb_cleans_up_and_a_forgotten_client_ends_quietly(
    tmp_path: Path,
) -> None:
    import asyncio

    store = Store()
    store.hold({"a.bin": b"x" * 5000})

    async def read_artifact(request: Any, context: Any) -> Any:
        async for message in store.read_artifact(request, context):
            yield message
            if message.data:
                await asyncio.Event().wait()

    async def run() -> subprocess.CompletedProcess[str]:
        handlers = store.handlers() | {"ReadArtifact": read_artifact}
        async with serving(handlers) as target:
            (tmp_path / "out").mkdir()
            command = [sys.executable, "-c", INTERRUPTED, target, str(tmp_path / "out/digits")]
            return await asyncio.to_thread(
                subprocess.run, command, capture_output=True, text=True, timeout=60
            )

    done = asyncio.run(run())

    assert done.stdout == "[]\n"
    assert done.stderr == ""


def test_importing_the_client_loads_no_framework_and_no_extra() -> None:
    heavy = {"numpy", "pandas", "sklearn", "torch", "joblib", "cryptography", "rich", "typer"}
    code = f"import sys, assay; print(sorted({heavy} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.stdout == "[]\n", done.stderr


FORKED = """
import os, sys, time
from assay import Client, ConnectionFailed, ForkedClient, loop_thread
client = Client("localhost:1", tls=None)
try:
    client.whoami()
except ConnectionFailed:
    pass
if os.fork() == 0:
    try:
        with client:
            client.whoami()
    except ForkedClient:
        print("forked", flush=True)
    sys.exit(0)
since = time.monotonic()
print(os.wait()[1], "soon" if time.monotonic() - since < loop_thread.CLEAN_UP_S else "late")
"""


def test_a_fork_leaves_a_client_and_ends_at_once_without_a_word() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKED],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.stdout.split() == ["forked", "0", "soon"]
    assert "Traceback" not in done.stderr


def test_closing_waits_no_longer_than_it_says_and_its_thread_ends_with_what_it_ran(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop_thread, "CLEAN_UP_S", 0.2)
    thread = LoopThread()  # not the shared one, which other tests have
    saving, saved = threading.Event(), threading.Event()

    def save() -> None:
        saving.set()
        saved.wait(10)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(thread.run, in_thread(save))
        assert saving.wait(5)

        thread._stop()

        assert thread._thread.is_alive()
        saved.set()
        thread._thread.join(5)
        assert not thread._thread.is_alive()
        with pytest.raises(errors.ClientClosed):
            waiting.result(5)


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_deadline_that_has_passed_at_once_is_refused(connected: Any, seconds: float) -> None:
    client = connected({"GetModel": get_model})

    with pytest.raises(errors.InvalidInput, match="give more"):
        client.within(seconds)


def test_there_may_be_no_deadline(connected: Any) -> None:
    client = connected({"GetModel": get_model}).within(float("inf"))

    assert client.get_model("a/b").name == "namespaces/a/models/b"


def test_every_error_that_the_readme_names_is_there_to_be_caught() -> None:
    readme = Path(__file__).parents[3].joinpath("clients/python/README.md").read_text()
    rows = readme.partition("| Error | Status |")[2].partition("<!-- end of errors")[0]

    named = re.findall(
        r"`(\w+)`", "".join(row.split("|")[1] for row in rows.splitlines()[2:-1] if "|" in row)
    )

    assert len(named) > 30
    assert [name for name in named if not hasattr(assay, name)] == []
