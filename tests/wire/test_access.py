"""Namespaces and role bindings, as clients see them."""

import grpc
import pytest

from assay.v1 import access_service_pb2 as api
from assay.v1 import role_binding_pb2
from assay_server.access.permissions import ROLE_PERMISSIONS, Permission
from assay_server.domain.access import Role
from tests.wire.registry import Registry, principal
from tests.wire.scripted import info_of, refusal

ADMIN, CONSUMER = role_binding_pb2.ROLE_ADMIN, role_binding_pb2.ROLE_CONSUMER
REQUEST_ID = "6f1d1d5e-6c1c-4d6f-9f1b-0e4a5c8f0a11"


async def test_a_namespace_is_made_read_and_edited(registry: Registry) -> None:
    async with registry.stubs() as stubs:
        made = await stubs.access.CreateNamespace(
            api.CreateNamespaceRequest(namespace_id="vision", request_id=REQUEST_ID)
        )
        update = api.UpdateNamespaceRequest(namespace=made.namespace)
        update.namespace.display_name = "Vision"
        update.namespace.description = "not asked for"
        update.update_mask.paths.append("display_name")
        edited = await stubs.access.UpdateNamespace(update)
        read = await stubs.access.GetNamespace(api.GetNamespaceRequest(name="namespaces/vision"))

    assert made.namespace.created_by == principal(Role.ADMIN)
    assert edited.revision > made.revision
    assert edited.namespace.etag != made.namespace.etag
    assert (read.namespace.display_name, read.namespace.description) == ("Vision", "")
    assert read.revision >= edited.revision


async def test_a_retry_gets_the_first_answer_and_an_entry_of_its_own(registry: Registry) -> None:
    request = api.CreateNamespaceRequest(namespace_id="vision", request_id=REQUEST_ID)
    async with registry.stubs() as stubs:
        first = await stubs.access.CreateNamespace(request)
        again = await stubs.access.CreateNamespace(request)
        other = api.CreateNamespaceRequest(namespace_id="sound", request_id=REQUEST_ID)
        reused = await refusal(stubs.access.CreateNamespace(other))

    assert again == first
    assert info_of(reused).reason == "REQUEST_ID_REUSED"


async def test_an_edit_of_an_older_state_is_refused(registry: Registry) -> None:
    async with registry.stubs() as stubs:
        await stubs.create_namespace("vision")
        update = api.UpdateNamespaceRequest()
        update.namespace.name = "namespaces/vision"
        update.namespace.etag = "older"
        update.update_mask.paths.append("*")
        error = await refusal(stubs.access.UpdateNamespace(update))

    assert error.code() is grpc.StatusCode.ABORTED
    assert info_of(error).reason == "ETAG_MISMATCH"


@pytest.mark.parametrize("paths", [[], ["name"], ["display_name", "nonsense"]])
async def test_an_update_mask_names_what_may_be_updated(
    registry: Registry, paths: list[str]
) -> None:
    async with registry.stubs() as stubs:
        await stubs.create_namespace("vision")
        update = api.UpdateNamespaceRequest()
        update.namespace.name = "namespaces/vision"
        update.update_mask.paths.extend(paths)
        error = await refusal(stubs.access.UpdateNamespace(update))

    assert info_of(error).reason == "UPDATE_MASK_INVALID"


async def test_a_role_works_from_the_moment_it_is_given_until_it_is_taken(
    registry: Registry,
) -> None:
    get = api.GetNamespaceRequest(name="namespaces/vision")
    async with registry.stubs() as admin, registry.stubs("newcomer") as newcomer:
        await admin.create_namespace("vision")
        await admin.create_namespace("sound")
        before = await refusal(newcomer.access.GetNamespace(get))
        name = await admin.bind(CONSUMER, principal("newcomer"), "namespaces/vision")
        during = await newcomer.access.GetNamespace(get)
        listed = await newcomer.access.ListNamespaces(api.ListNamespacesRequest())
        await admin.access.DeleteRoleBinding(api.DeleteRoleBindingRequest(name=name))
        after = await refusal(newcomer.access.GetNamespace(get))

    assert before.code() is after.code() is grpc.StatusCode.NOT_FOUND
    assert during.namespace.name == "namespaces/vision"
    assert [n.name for n in listed.namespaces] == ["namespaces/vision"]


async def test_nobody_grants_what_they_do_not_hold(registry: Registry) -> None:
    async with registry.stubs() as admin, registry.stubs("lead") as lead:
        await admin.create_namespace("vision")
        await admin.bind(ADMIN, principal("lead"), "namespaces/vision")
        await lead.bind(CONSUMER, principal("newcomer"), "namespaces/vision")
        everywhere = api.CreateRoleBindingRequest()
        everywhere.role_binding.role = CONSUMER
        everywhere.role_binding.member = principal("newcomer")
        error = await refusal(lead.access.CreateRoleBinding(everywhere))

    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    assert info_of(error).metadata["permission"] == Permission.BINDINGS_WRITE


async def test_the_last_admin_everywhere_stays(registry: Registry) -> None:
    async with registry.stubs() as stubs:
        listed = await stubs.access.ListRoleBindings(api.ListRoleBindingsRequest())
        [admin] = [b.name for b in listed.role_bindings if b.role == ADMIN]
        error = await refusal(
            stubs.access.DeleteRoleBinding(api.DeleteRoleBindingRequest(name=admin))
        )

    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert info_of(error).reason == "LAST_ADMIN"


async def test_the_same_binding_is_not_made_twice_but_named(registry: Registry) -> None:
    async with registry.stubs() as stubs:
        await stubs.create_namespace("vision")
        name = await stubs.bind(CONSUMER, "spiffe://assay.test/x*", "namespaces/vision")
        request = api.CreateRoleBindingRequest(parent="namespaces/vision")
        request.role_binding.role = CONSUMER
        request.role_binding.member = "spiffe://assay.test/x*"
        error = await refusal(stubs.access.CreateRoleBinding(request))

    assert info_of(error).reason == "RESOURCE_EXISTS"
    assert info_of(error).metadata["resource"] == name


async def test_bindings_of_a_scope_are_those_of_exactly_that_scope(registry: Registry) -> None:
    async with registry.stubs() as stubs:
        await stubs.create_namespace("vision")
        name = await stubs.bind(CONSUMER, principal("x"), "namespaces/vision")
        listed = await stubs.access.ListRoleBindings(
            api.ListRoleBindingsRequest(parent="namespaces/vision")
        )
        absent = api.CreateRoleBindingRequest(parent="namespaces/absent")
        absent.role_binding.role = CONSUMER
        absent.role_binding.member = principal("x")
        error = await refusal(stubs.access.CreateRoleBinding(absent))

    assert [b.name for b in listed.role_bindings] == [name]
    assert error.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("role", "member", "field"),
    [(0, "spiffe://a/b", "role_binding.role"), (99, "spiffe://a/b", "role_binding.role"),
     (CONSUMER, "", "role_binding.member"), (CONSUMER, "a*b", "role_binding.member")],
)  # fmt: skip
async def test_a_binding_needs_a_known_role_and_a_member(
    registry: Registry, role: int, member: str, field: str
) -> None:
    async with registry.stubs() as stubs:
        request = api.CreateRoleBindingRequest()
        request.role_binding.role = role
        request.role_binding.member = member
        error = await refusal(stubs.access.CreateRoleBinding(request))

    assert info_of(error).reason == "FIELD_INVALID"
    assert info_of(error).metadata["field"] == field


async def test_everyone_can_ask_who_they_are(registry: Registry) -> None:
    async with registry.stubs(Role.EVALUATOR) as known, registry.stubs("stranger") as stranger:
        evaluator = await known.access.WhoAmI(api.WhoAmIRequest())
        nobody = await stranger.access.WhoAmI(api.WhoAmIRequest())

    assert evaluator.principal == principal(Role.EVALUATOR)
    assert [b.role for b in evaluator.role_bindings] == [role_binding_pb2.ROLE_EVALUATOR]
    assert len(evaluator.certificate_sha256) == 64
    assert evaluator.certificate_expire_time.seconds > 1_700_000_000
    assert evaluator.server_version
    assert nobody.principal == principal("stranger")
    assert not nobody.role_bindings


async def test_permissions_can_be_tested_without_trying(registry: Registry) -> None:
    async with registry.stubs(Role.CONSUMER) as stubs:
        some = await stubs.access.TestPermissions(
            api.TestPermissionsRequest(
                resource="namespaces/any", permissions=["artifacts.read", "gates.write"]
            )
        )
        everything = await stubs.access.TestPermissions(api.TestPermissionsRequest())
        error = await refusal(
            stubs.access.TestPermissions(api.TestPermissionsRequest(permissions=["fly"]))
        )

    assert some.permissions == ["artifacts.read"]
    assert set(everything.permissions) == ROLE_PERMISSIONS[Role.CONSUMER]
    assert info_of(error).metadata["field"] == "permissions"


async def test_pages_hold_together_and_their_tokens_are_the_callers_own(
    registry: Registry,
) -> None:
    async with registry.stubs() as admin, registry.stubs(Role.CONSUMER) as consumer:
        for number in range(5):
            await admin.create_namespace(f"n{number}")
        names, token = [], ""
        while True:
            page = await admin.access.ListNamespaces(
                api.ListNamespacesRequest(page_size=2, page_token=token)
            )
            names += [n.name for n in page.namespaces]
            token = page.next_page_token or ""
            if not token:
                break
            last_token = token
        stolen = api.ListNamespacesRequest(page_size=2, page_token=last_token)
        error = await refusal(consumer.access.ListNamespaces(stolen))

    assert names == [f"namespaces/n{number}" for number in range(5)]
    assert info_of(error).reason == "PAGE_TOKEN_INVALID"
