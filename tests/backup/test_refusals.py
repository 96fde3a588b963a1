"""A restore loses nothing by accident, takes no harmed file, and never leaves half a store unnoticed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.cli.backup import libraries
from api.cli.main import main
from engine.backup import restoring
from engine.backup.file import keys_path
from engine.backup.restoring import restore
from engine.backup.taking import take
from engine.bootstrap import allot_engine
from engine.config import Settings
from engine.customers.model import Profile
from engine.errors import CursorExpired, IllegalState, IncompatibleStore, InvalidInput
from engine.feed.model import Wanted
from engine.inventory.model import PositionCount
from engine.storage.address import parse_address
from engine.storage.direct import DirectLink
from tests.store_servers import StoreServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StoreServer]:
    with StoreServer(tmp_path / "server", "--appendonly", "no") as running:
        yield running


async def count(server: StoreServer, on_hand: int) -> None:
    async with allot_engine(Settings(redis_url=server.url, durability="memory")) as engine:
        await engine.stock.put_positions([PositionCount(node_id="east", sku="mug", on_hand=on_hand)])


async def on_hand(server: StoreServer) -> int:
    async with allot_engine(Settings(redis_url=server.url, durability="memory")) as engine:
        return int((await engine.stock.read(["mug"])).cells[0, 0, 0])


def link_of(server: StoreServer) -> DirectLink:
    return DirectLink(parse_address(server.url))


async def test_a_store_that_is_not_empty_is_only_replaced_when_asked(server: StoreServer, tmp_path: Path) -> None:
    path = tmp_path / "store.backup"
    await count(server, 5)
    with link_of(server) as link:
        take(link, path, libraries())
    await count(server, 9)
    with link_of(server) as link, pytest.raises(InvalidInput, match="not empty"):
        restore(link, path, libraries(), replace=False)
    assert await on_hand(server) == 9
    with link_of(server) as link:
        restore(link, path, libraries(), replace=True)
    assert await on_hand(server) == 5


async def test_a_full_disk_is_told_and_leaves_nothing_behind(server: StoreServer, tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    """Seeded bug that it catches: the file is closed first, which fails once more, and so is not taken away."""
    await count(server, 5)
    path = tmp_path / "store.backup"
    path.with_name("store.backup.part").symlink_to("/dev/full")
    with link_of(server) as link, pytest.raises(OSError, match="No space left"):
        take(link, path, libraries())
    assert not path.exists()
    assert not path.with_name("store.backup.part").is_symlink()


async def test_a_store_in_use_is_not_restored_into(server: StoreServer, tmp_path: Path) -> None:
    path = tmp_path / "store.backup"
    await count(server, 5)
    with link_of(server) as link:
        take(link, path, libraries())
        async with allot_engine(Settings(redis_url=server.url, durability="memory")):
            with pytest.raises(InvalidInput, match="Stop its servers"):
                restore(link, path, libraries(), replace=True)


@pytest.mark.parametrize("harm", ["cut", "flipped", "longer", "header", "empty"])
async def test_a_harmed_file_is_refused_before_anything_is_changed(
    server: StoreServer, tmp_path: Path, harm: str
) -> None:
    path = tmp_path / "store.backup"
    await count(server, 5)
    with link_of(server) as link:
        take(link, path, libraries())
        whole = path.read_bytes()
        middle = len(whole) // 2
        path.write_bytes(
            {
                "cut": whole[:-40],
                "flipped": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
                "longer": whole + b"x",
                "header": whole.replace(b"ALLOT-BACKUP 1", b"ALLOT-BACKUP 9"),
                "empty": b"",
            }[harm]
        )
        with pytest.raises(InvalidInput):
            restore(link, path, libraries(), replace=True)
    assert await on_hand(server) == 5


async def test_a_backup_of_a_later_version_is_refused(server: StoreServer, tmp_path: Path) -> None:
    path = tmp_path / "store.backup"
    await count(server, 5)
    with link_of(server) as link:
        take(link, path, {**libraries(), "inventory": 2})
        with pytest.raises(InvalidInput, match="later version"):
            restore(link, path, libraries(), replace=True)


async def test_no_server_starts_on_half_a_store(
    server: StoreServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seeded bug that it catches: the mark is set behind the first key, or not at all."""
    path = tmp_path / "store.backup"
    await count(server, 5)
    with link_of(server) as link:
        take(link, path, libraries())

    def killed(record):  # type: ignore[no-untyped-def]
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(restoring, "_command", killed)
        with link_of(server) as link, pytest.raises(KeyboardInterrupt):
            restore(link, path, libraries(), replace=True)
    with pytest.raises(IncompatibleStore, match="--replace"):
        await on_hand(server)
    with link_of(server) as link:
        restore(link, path, libraries(), replace=True)
    assert await on_hand(server) == 5


async def test_readers_of_the_feed_begin_again_after_a_restore(server: StoreServer, tmp_path: Path) -> None:
    path = tmp_path / "store.backup"
    await count(server, 5)
    settings = Settings(redis_url=server.url, durability="memory")
    async with allot_engine(settings) as engine:
        assert engine.feed is not None
        cursor = (await engine.feed.page(None, limit=1, wanted=Wanted())).next_cursor
    with link_of(server) as link:
        take(link, path, libraries())
        restore(link, path, libraries(), replace=True)
    async with allot_engine(settings) as engine:
        assert engine.feed is not None
        with pytest.raises(CursorExpired):
            await engine.feed.page(cursor, limit=1, wanted=Wanted())
        await engine.feed.page(cursor, limit=1, wanted=Wanted(), is_ours=True)


def test_a_folder_without_a_store_is_not_backed_up_as_an_empty_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seeded bug that it catches: a misspelt folder becomes a new store, and the backup of it is empty, and done."""
    assert main(["backup", str(tmp_path / "a.backup"), "--data", str(tmp_path / "shp")]) == 2
    assert "holds no store" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_verbs_move_an_embedded_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import asyncio

    async def put(folder: Path) -> None:
        async with allot_engine(Settings(data_dir=folder)) as engine:
            await engine.stock.put_positions([PositionCount(node_id="east", sku="mug", on_hand=7)])

    async def read(folder: Path) -> int:
        async with allot_engine(Settings(data_dir=folder)) as engine:
            return int((await engine.stock.read(["mug"])).cells[0, 0, 0])

    asyncio.run(put(tmp_path / "one"))
    file = tmp_path / "one.backup"
    assert main(["backup", str(file), "--data", str(tmp_path / "one")]) == 0
    assert "writes waited" in capsys.readouterr().out
    assert main(["backup", str(file), "--data", str(tmp_path / "one")]) == 2, "a backup is never overwritten"
    assert main(["restore", str(file), "--data", str(tmp_path / "two")]) == 0
    assert main(["restore", str(file), "--data", str(tmp_path / "two")]) == 2
    assert asyncio.run(read(tmp_path / "two")) == 7
    assert (file.stat().st_mode & 0o777) == 0o600


async def test_a_customer_who_was_erased_does_not_come_back_with_an_old_backup_and_the_keys_of_now(
    server: StoreServer, tmp_path: Path
) -> None:
    """Catches keys of customers in the backup itself: whoever restores it reads what was erased since."""
    old, new = tmp_path / "old.backup", tmp_path / "new.backup"
    settings = Settings(redis_url=server.url, durability="memory")
    async with allot_engine(settings) as engine:
        for name in ("ann", "bob"):
            await engine.customers.put(name, Profile(name=f"{name} Zebrowski"))
        with link_of(server) as link:
            take(link, old, libraries())
        kept = (await engine.customers._store.keys(["ann"]))[0]
        await engine.customers.erase("ann")
        with link_of(server) as link:
            take(link, new, libraries())
    assert kept is not None
    assert kept not in old.read_bytes()
    assert b"Zebrowski" not in old.read_bytes()
    for keys, found in ((keys_path(new), [None, "bob Zebrowski"]), (None, [None, None])):
        with link_of(server) as link:
            restore(link, old, libraries(), replace=True, customer_keys=keys)
        async with allot_engine(settings) as engine:
            customers = [await engine.customers.find_one(name) for name in ("ann", "bob")]
            assert [each and each.profile.name for each in customers] == found
            assert await engine.customers.step() == (0 if keys is None else 1)
            with pytest.raises(IllegalState, match="was erased"):
                await engine.customers.put("ann", Profile())
