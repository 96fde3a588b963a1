"""Policies as a use case: put a version, get one, list them.

A version that was put never changes, so whoever has its number reads the same for good. Not here: what a policy does to
a run (effect.py).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

from engine.errors import Fault, InvalidInput, NotFound
from engine.faults import nearest
from engine.network.model import Network
from engine.network.service import NetworkService
from engine.policies.checks import faults_of
from engine.policies.document import POLICY_ID, RunPolicyDocument
from engine.policies.model import Policy, split_reference
from engine.storage.documents import Document, DocumentStore

COLLECTION = "policies"


class PolicyService:
    """Puts and serves policies."""

    def __init__(self, documents: DocumentStore, networks: NetworkService) -> None:
        self._documents, self._networks = documents, networks

    async def put(self, policy_id: str, document: RunPolicyDocument) -> Policy:
        """Check and store a document as the next version of a policy; `InvalidInput` with every fault, nothing stored.

        Nodes have to be in the network, if there is one yet.
        """
        faults = [*_name_faults(policy_id, document), *faults_of(document, await self._network())]
        if faults:
            raise InvalidInput(faults)
        body = document.model_dump_json(exclude_unset=True, exclude={"policy_id"}).encode()
        version = await self._documents.add(COLLECTION, policy_id, body)
        return Policy(policy_id=policy_id, version=version, document=document)

    async def get(self, policy_id: str, version: int | None = None) -> Policy:
        """Return a version of a policy, by default the latest; raises NotFound."""
        found = await self._documents.find(COLLECTION, policy_id, version)
        if found is None:
            raise NotFound(f"There is {await self._lack(policy_id, version)}.")
        return _policy(policy_id, found)

    async def find(self, reference: str, path: str) -> Policy:
        """Return what `peak` or `peak@2` names; `InvalidInput` names `path` if there is none such."""
        policy_id, version = split_reference(reference, path)
        found = await self._documents.find(COLLECTION, policy_id, version)
        if found is None:
            raise InvalidInput(Fault(path=path, message=await self._lack(policy_id, version)))
        return _policy(policy_id, found)

    async def page(self, limit: int = 100, after: str | None = None) -> tuple[list[Policy], bool]:
        """Return the latest versions by id, the first `limit` after an id, and whether there are more."""
        names = await self._documents.names(COLLECTION)
        following = sorted(name for name in names if after is None or name > after)
        page = following[:limit]
        return list(await asyncio.gather(*(self.get(name, names[name]) for name in page))), len(following) > limit

    async def _network(self) -> Network | None:
        try:
            return await self._networks.current()
        except NotFound:
            return None

    async def _lack(self, policy_id: str, version: int | None) -> str:
        """Return in words that a policy, or this version of it, is not there, and what is."""
        names = await self._documents.names(COLLECTION)
        if policy_id not in names:
            return f"no policy {policy_id!r}; {nearest(policy_id, names)}"
        latest = names[policy_id]
        known = "only version 1" if latest == 1 else f"versions 1 to {latest}"
        return f"no version {version} of policy {policy_id!r}; it has {known}"


def _policy(policy_id: str, found: Document) -> Policy:
    document = RunPolicyDocument.model_validate_json(found.body)
    return Policy(policy_id=policy_id, version=found.version, document=document)


def _name_faults(policy_id: str, document: RunPolicyDocument) -> Iterator[Fault]:
    if not re.fullmatch(POLICY_ID, policy_id):
        message = f"{policy_id!r} is no id of a policy; use letters, digits, '.', '_' and '-', at most 64"
        yield Fault(path="policy_id", message=message)
    elif document.policy_id not in (None, policy_id):
        message = f"{document.policy_id!r} is not {policy_id!r}, the policy that is put; leave it out, or put the other"
        yield Fault(path="$.policy_id", message=message)
