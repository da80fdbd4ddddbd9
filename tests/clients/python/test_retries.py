"""What is sent again, what never is, and how long it may take."""

import asyncio
import json
from typing import Any

import grpc
import pytest

from assay import TLS, AsyncClient, errors, retries
from assay.calls import LOOK_FIRST
from assay.v1.access_service_pb2 import WhoAmIResponse
from assay.v1.model_pb2 import Model
from assay.v1.registry_service_pb2 import (
    CreateModelResponse,
    GetModelResponse,
    SetAliasResponse,
)
from tests.clients.python.serving import refuse, serving
from tests.lossy import LossyProxy
from tests.pki import Authority

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


class Failing:
    """Refuses the first calls, then answers; keeps what it was asked."""

    def __init__(self, answer: Any, times: int, code: grpc.StatusCode, reason: str = "") -> None:
        self.requests: list[Any] = []
        self._answer, self._times, self._code, self._reason = answer, times, code, reason

    async def __call__(self, request: Any, context: Any) -> Any:
        self.requests.append(request)
        if len(self.requests) <= self._times:
            await refuse(context, self._code, self._reason)
        return self._answer


async def test_a_read_is_sent_again_while_the_server_is_unavailable(connected: Any) -> None:
    get_model = Failing(GetModelResponse(model=Model(name="here")), 2, UNAVAILABLE)
    client = await connected({"GetModel": get_model})

    model = await client.get_model("vision/digits")

    assert model.name == "here"
    assert len(get_model.requests) == 3


async def test_a_change_is_sent_again_under_the_same_request_id(connected: Any) -> None:
    create_model = Failing(CreateModelResponse(), 2, UNAVAILABLE, "STORE_UNAVAILABLE")
    client = await connected({"CreateModel": create_model})

    await client.create_model("vision/digits")

    ids = {request.request_id for request in create_model.requests}
    assert len(create_model.requests) == 3
    assert len(ids) == 1
    assert len(ids.pop()) == 36


async def test_two_changes_have_two_request_ids(connected: Any) -> None:
    create_model = Failing(CreateModelResponse(), 0, UNAVAILABLE)
    client = await connected({"CreateModel": create_model})

    await client.create_model("vision/digits")
    await client.create_model("vision/digits")

    assert len({request.request_id for request in create_model.requests}) == 2


async def test_a_lost_race_is_run_again_with_the_same_words_and_not_for_ever(
    connected: Any,
) -> None:
    set_alias = Failing(SetAliasResponse(), 99, grpc.StatusCode.ABORTED, "CONFLICT")
    client = await connected({"SetAlias": set_alias})

    with pytest.raises(errors.Conflict):
        await client.set_alias("vision/digits@champion", 7, expected=6)

    assert len(set_alias.requests) == retries.ATTEMPTS_MAX
    assert {request.expected_version_number for request in set_alias.requests} == {6}
    assert len({request.request_id for request in set_alias.requests}) == 1


async def test_an_alias_that_moved_is_not_forced(connected: Any) -> None:
    set_alias = Failing(SetAliasResponse(), 99, grpc.StatusCode.ABORTED, "ALIAS_MOVED")
    client = await connected({"SetAlias": set_alias})

    with pytest.raises(errors.AliasMoved):
        await client.set_alias("vision/digits@champion", 7, expected=6)

    assert len(set_alias.requests) == 1


async def test_a_call_that_a_stopping_server_cancelled_is_sent_again(connected: Any) -> None:
    get_model = Failing(GetModelResponse(), 1, grpc.StatusCode.CANCELLED)
    client = await connected({"GetModel": get_model})

    await client.get_model("vision/digits")

    assert len(get_model.requests) == 2


async def test_what_the_server_refuses_for_good_is_not_sent_again(connected: Any) -> None:
    get_model = Failing(GetModelResponse(), 9, grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")
    client = await connected({"GetModel": get_model})

    with pytest.raises(errors.NotFound):
        await client.get_model("vision/digits")

    assert len(get_model.requests) == 1


async def test_a_call_ends_at_its_deadline_and_the_server_knows_that_deadline(
    connected: Any,
) -> None:
    remaining_s = []

    async def never(request: Any, context: Any) -> Any:
        remaining_s.append(context.time_remaining())
        await asyncio.Event().wait()

    client = (await connected({"WhoAmI": never, "UndeleteModel": never})).within(0.2)

    with pytest.raises(errors.DeadlinePassed, match=r"0\.2 s\. Nothing was changed: ask again"):
        await client.whoami()
    with pytest.raises(errors.DeadlinePassed, match="look before you repeat it"):
        await client.undelete_model("vision/digits")

    assert 0 < remaining_s[0] <= 0.2


async def test_a_change_whose_answer_was_lost_is_said_to_have_perhaps_happened_and_a_read_is_not(
    authority: Authority, tls: TLS
) -> None:
    reached = asyncio.Event()

    async def never(request: Any, context: Any) -> Any:
        reached.set()
        await asyncio.Event().wait()

    async def said(ask: Any, *, is_first: bool) -> str:
        reached.clear()
        async with serving({"UndeleteModel": never, "GetModel": never}, authority) as target:
            proxy = LossyProxy(target)
            await proxy.start()
            async with AsyncClient(f"localhost:{proxy.port}", tls=tls) as client:
                if not is_first:
                    with pytest.raises(errors.MethodUnknown):
                        await client.whoami()
                asking = asyncio.create_task(ask(client))
                await reached.wait()
                await asyncio.sleep(0.05)
                await proxy.stop()
                with pytest.raises(errors.ConnectionFailed, match="Nothing listens at") as caught:
                    await asking
        return str(caught.value)

    for is_first in (False, True):
        lost = await said(lambda client: client.undelete_model("vision/digits"), is_first=is_first)
        assert lost.endswith(LOOK_FIRST)
        read = await said(lambda client: client.get_model("vision/digits"), is_first=is_first)
        assert LOOK_FIRST not in read


async def test_a_change_that_was_never_sent_has_not_happened(tls: TLS) -> None:
    async with AsyncClient("localhost:1", tls=tls) as client:
        with pytest.raises(errors.ConnectionFailed) as caught:
            await client.undelete_model("vision/digits")

    assert LOOK_FIRST not in str(caught.value)


async def test_a_client_within_other_limits_shares_the_connection(connected: Any) -> None:
    peers = []

    async def whoami(request: Any, context: Any) -> Any:
        peers.append(context.peer())
        return WhoAmIResponse(principal="trainer")

    client = await connected({"WhoAmI": whoami})

    await client.whoami()
    await client.within(5).whoami()

    assert len(set(peers)) == 1


def test_grpc_may_repeat_exactly_what_the_contract_calls_repeatable() -> None:
    config = json.loads(retries.service_config())

    repeated = {entry["method"] for entry in config["methodConfig"][0]["name"]}
    all_methods = {method.name for method in retries.methods()}
    assert all_methods - repeated == {"WriteUpload"}
    assert config["methodConfig"][0]["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]
    assert "timeout" not in config["methodConfig"][0]
