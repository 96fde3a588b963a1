from __future__ import annotations

import pytest

from engine.storage.keys import Keys


def test_every_key_carries_tenant_and_partition_as_one_hash_tag() -> None:
    keys = Keys("main")
    assert keys.stock("SKU-1") == "{main:p0}:stock:SKU-1"
    assert keys.deadlines == "{main:p0}:deadlines"
    assert Keys("main", 3).order("ord_1") == "{main:p3}:order:ord_1"


def test_a_named_key_follows_the_same_pattern() -> None:
    assert Keys("main").named("word") == "{main:p0}:word"
    assert Keys("main").named("word", "id") == "{main:p0}:word:id"


@pytest.mark.parametrize("tenant", ["", "a{b", "a}b", "a:b"])
def test_a_tenant_that_would_break_the_hash_tag_is_refused(tenant: str) -> None:
    with pytest.raises(ValueError, match="tenant"):
        Keys(tenant)
