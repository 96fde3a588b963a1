"""A version of a policy, and what names one: `peak`, the latest, or `peak@2`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.errors import Fault, InvalidInput
from engine.policies.document import POLICY_ID, RunPolicyDocument

_REFERENCE = re.compile(rf"({POLICY_ID})(?:@([1-9][0-9]{{0,17}}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version (1, 2, …) of a policy; it never changes."""

    policy_id: str
    version: int
    document: RunPolicyDocument

    @property
    def reference(self) -> str:
        """What names this version, such as `peak@2`."""
        return f"{self.policy_id}@{self.version}"


def split_reference(reference: str, path: str) -> tuple[str, int | None]:
    """Return the id and the version that a reference names, None for the latest; InvalidInput names `path`."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        message = f"{reference!r} names no policy; give its id, such as 'peak', or a version of it, such as 'peak@2'"
        raise InvalidInput(Fault(path=path, message=message))
    return found[1], None if found[2] is None else int(found[2])
