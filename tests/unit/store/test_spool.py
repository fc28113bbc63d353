"""Ids that the database could not take come home, whatever the crash did to the file."""

from pathlib import Path

from bot.store.spool import Spool


def test_ids_come_back_in_order_and_only_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "data" / "ids.jsonl")
    assert list(spool.read()) == []
    spool.add("job1", "video=1/ü")
    spool.add("job2", "2", ["https://media.test/2.mp4"])
    assert list(Spool(tmp_path / "data" / "ids.jsonl").read()) == [
        ("job1", "video=1/ü", ()),
        ("job2", "2", ("https://media.test/2.mp4",)),
    ]
    spool.clear()
    spool.clear()
    assert list(spool.read()) == []


def test_a_torn_line_takes_no_other_with_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "ids.jsonl")
    spool.add("job1", "1")
    with (tmp_path / "ids.jsonl").open("ab") as file:
        file.write(b'{"job": "jo\n\xff\n[1]\n')
    spool.add("job2", "2")
    assert list(spool.read()) == [("job1", "1", ()), ("job2", "2", ())]
