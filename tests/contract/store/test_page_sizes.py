"""A page never holds more than a client takes in one message, whatever size was asked for."""

from assay_server.domain.calls import Page
from assay_server.sqlstore.opening import Store
from assay_server.sqlstore.paging import PAGE_CHARACTERS_MAX
from tests.contract.store.registries import add_model, add_namespace, make_model, read

WIDE = "x" * (PAGE_CHARACTERS_MAX * 2 // 5)
WIDER_THAN_A_PAGE = "y" * (PAGE_CHARACTERS_MAX + 1)


async def test_a_page_ends_early_where_its_items_are_large_and_the_next_goes_on(
    registry: Store,
) -> None:
    await add_namespace(registry)
    for model_id, text in (("a", WIDE), ("b", WIDE), ("c", WIDE), ("d", WIDER_THAN_A_PAGE)):
        await add_model(registry, make_model(model_id, description=text))

    pages: list[list[str]] = []
    page: Page | None = Page(50)
    while page is not None:
        listed = await read(registry, lambda r, page=page: r.models.list(page, among=None))
        pages.append([model.model_id for model in listed.items])
        page = Page(50, listed.next_after) if listed.next_after else None

    assert pages == [["a", "b"], ["c"], ["d"]]
