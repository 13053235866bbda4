"""Request ids: one for each request, unique, in the order of time."""

from larouter.web.request_id import new_request_id, request_id


def test_ids_are_unique_and_grow():
    ids = [new_request_id() for _ in range(1000)]

    assert len(set(ids)) == 1000
    assert [name[:20] for name in ids] == sorted(name[:20] for name in ids)


def test_a_request_keeps_its_id():
    environ: dict[str, str] = {}

    assert request_id(environ) == request_id(environ)
    assert request_id(environ) != request_id({})
