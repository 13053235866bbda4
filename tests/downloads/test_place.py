from pathlib import Path

from larouter.downloads.place import Place


def test_the_token_is_in_no_log():
    assert "hf_secret" not in repr(Place(models=Path("m"), endpoint="e", token="hf_secret"))
