"""docs/permissions.md: who may call what, held to the permission table and the roles.

A change of either fails here until the page is written anew and looked at:
``python -m tests.house.test_decisions`` writes it.
"""

from assay_server.access.permissions import ROLE_PERMISSIONS
from assay_server.domain.access import Role
from assay_server.transport.permissions import REQUIREMENTS, Reach
from tests.house.sources import ROOT

PAGE = ROOT / "docs/permissions.md"
HEAD = """\
# Who may call what

Roles bind to a principal everywhere, in a namespace or on a model. A dot means that the role
suffices there. Who has no role at all gets NOT_FOUND; who may read but not do this gets
PERMISSION_DENIED with the roles that suffice.

Beyond the table: drafts and their uploads are seen by their author and by who has
`drafts.manage`; moving an alias that a gate protects asks for `aliases.move-protected` too,
sealing and publishing in one step for `versions.publish`; nobody grants a role whose
permissions they do not hold themselves.

"""
REACHES = {
    Reach.GLOBAL: " (everywhere)",
    Reach.LIST: " (or where one may)",
}


def page() -> str:
    roles = list(Role)
    lines = [
        "| RPC | Permission | " + " | ".join(roles) + " |",
        "|---|---|" + "---|" * len(roles),
    ]
    for method, row in REQUIREMENTS.items():
        if row.permission is None:
            needed, marks = "none", ["•"] * len(roles)
        else:
            needed = f"`{row.permission}`{REACHES.get(row.reach, '')}"
            marks = ["•" if row.permission in ROLE_PERMISSIONS[role] else "" for role in roles]
        lines.append(f"| {method.rpartition('/')[2]} | {needed} | " + " | ".join(marks) + " |")
    return HEAD + "\n".join(lines) + "\n"


def test_the_page_of_permissions_says_what_the_server_does() -> None:
    assert PAGE.read_text() == page(), (
        "look at the change, then: python -m tests.house.test_decisions"
    )


if __name__ == "__main__":
    PAGE.write_text(page())
