"""What a model of the registry is, in forty plain rules: no database, no gRPC, no time.

Every method says whether the registry must grant the request, and if so does it.
"""

from dataclasses import dataclass, field

CANDIDATE, READY, DEPRECATED, YANKED, DELETED = (
    "CANDIDATE",
    "READY",
    "DEPRECATED",
    "YANKED",
    "DELETED",
)
RESOLVING = (READY, DEPRECATED)
STEPS = {
    DEPRECATED: (READY,),
    YANKED: (CANDIDATE, READY, DEPRECATED),
    DELETED: (CANDIDATE, READY, DEPRECATED, YANKED),
}
BOUND = 0.9


@dataclass
class Version:
    content: bytes
    run: str = ""
    state: str = CANDIDATE
    before: str = ""
    semver: tuple[int, int, int] | None = None
    accuracy: float | None = None


@dataclass
class Draft:
    content: bytes | None
    is_open: bool = True


@dataclass
class PureModel:
    """One model, its drafts, versions, aliases and its gate of publication."""

    is_deleted: bool = False
    has_gate: bool = False
    drafts: dict[str, Draft] = field(default_factory=dict)
    versions: list[Version] = field(default_factory=list)
    aliases: dict[str, int] = field(default_factory=dict)
    moves: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def abandon(self, draft: str) -> bool:
        found = self.drafts[draft]
        is_granted = not self.is_deleted and found.is_open
        if is_granted:
            found.is_open = False
        return is_granted

    def seal(self, draft: str, *, publish: bool) -> int:
        """The number that the version gets or has; 0 where it is refused."""
        found = self.drafts[draft]
        if self.is_deleted or not found.is_open or found.content is None:
            return 0
        number = self._made(found.content, "", publish=publish)
        found.is_open = not number
        return number

    def create(self, content: bytes, run: str, *, publish: bool) -> int:
        """The number that a version of content that is here gets or has; 0 where refused."""
        if self.is_deleted or not self.has(content):
            return 0
        return self._made(content, run, publish=publish)

    def _made(self, content: bytes, run: str, *, publish: bool) -> int:
        same = (n for n, v in enumerate(self.versions, 1) if (v.content, v.run) == (content, run))
        number = next(same, 0)
        version = self.versions[number - 1] if number else Version(content, run)
        if version.state == DELETED:
            return 0
        if publish and version.state not in RESOLVING and not self._publish(version):
            return 0
        if not number:
            self.versions.append(version)
        return number or len(self.versions)

    def has(self, content: bytes) -> bool:
        """Whether it need not be sent again."""
        return any(one.content == content and one.state != DELETED for one in self.versions)

    def publish(self, number: int) -> bool:
        return not self.is_deleted and self._publish(self.versions[number - 1])

    def step(self, number: int, state: str) -> bool:
        version = self.versions[number - 1]
        if self.is_deleted or version.state not in STEPS[state]:
            return False
        if state == DELETED and number in self.aliases.values():
            return False
        version.before, version.state = version.state, state
        return True

    def undelete(self, number: int) -> bool:
        version = self.versions[number - 1]
        if self.is_deleted or version.state != DELETED:
            return False
        version.state = version.before
        return True

    def evaluate(self, number: int, accuracy: float) -> bool:
        if not self.is_deleted:
            self.versions[number - 1].accuracy = accuracy
        return not self.is_deleted

    def point(self, alias: str, number: int, expected: int | None) -> bool:
        at = self.aliases.get(alias, 0)
        is_granted = (
            not self.is_deleted
            and at == (expected or 0)
            and self.versions[number - 1].state in RESOLVING
        )
        if is_granted and at != number:
            self._move(alias, at, number)
            self.aliases[alias] = number
        return is_granted

    def unpoint(self, alias: str, expected: int) -> bool:
        at = self.aliases.get(alias, 0)
        if self.is_deleted or not at or at != expected:
            return False
        self._move(alias, at, 0)
        del self.aliases[alias]
        return True

    def _move(self, alias: str, at: int, number: int) -> None:
        self.moves.setdefault(alias, []).append((at, number))

    def _publish(self, version: Version) -> bool:
        if version.state != CANDIDATE:
            return False
        if self.has_gate and (version.accuracy is None or version.accuracy < BOUND):
            return False
        version.semver, version.state = self._next_semver(), READY
        return True

    def _next_semver(self) -> tuple[int, int, int]:
        """One minor release past the greatest that resolves, and never one that was given."""
        given = {one.semver for one in self.versions if one.semver}
        greatest = max(
            (one.semver for one in self.versions if one.semver and one.state in RESOLVING),
            default=None,
        )
        if greatest is None:
            semver = (1, 0, 0)
            while semver in given:
                semver = (semver[0] + 1, 0, 0)
            return semver
        semver = (greatest[0], greatest[1] + 1, 0)
        while semver in given:
            semver = (semver[0], semver[1] + 1, 0)
        return semver
