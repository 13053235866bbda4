from datetime import datetime
from zoneinfo import ZoneInfo

from larouter.cli.export_compare import Answer, compare
from tests.cli.test_export_file import UTC, of, read


def ms(text):
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def a_call(id=1, **changes):
    return {
        "id": id, "providerId": f"chatcmpl-{id}", "model": "openai/gpt-6.2-sol",
        "state": "settled", "startedMs": ms("2026-11-02T10:00:00Z"),
        "endedMs": ms("2026-11-02T10:00:02Z"), "promptTokens": 1000, "cachedTokens": 0,
        "outputTokens": 100, "costNusd": 2_250_000, **changes,
    }  # fmt: skip


SECOND = {"promptTokens": 900, "cachedTokens": 100, "outputTokens": 50, "costNusd": 1_500_000}
DAYS = "date,model,requests,input_tokens,input_cached_tokens,output_tokens,cost\n"


def days(*rows):
    return of(DAYS + "".join(f"2026-11-02,gpt-6.2-sol,{row}\n" for row in rows))


def told(found):
    return [(row.kind, row.measure, row.here, row.there) for row in found.differences]


def test_what_is_the_same_does_not_differ():
    calls = [a_call(), a_call(2, **SECOND)]

    assert compare(days("2,1900,100,150,0.00375"), calls, UTC).differences == []
    assert compare(read("requests.csv", "openai"), calls, UTC).differences == []


def test_each_measure_that_differs_is_told():
    found = compare(days("2,1100,10,101,0.00325"), [a_call()], UTC)

    assert told(found) == [
        ("differs", "requests", "1", "2"),
        ("differs", "prompt", "1000", "1100"),
        ("differs", "cached", "0", "10"),
        ("differs", "output", "100", "101"),
        ("differs", "cost", "$0.00225", "$0.00325"),
    ]


def test_an_amount_that_was_rounded_there_does_not_differ():
    cents = of("date,model,cost\n2026-11-02,gpt-6.2-sol,0.00\n2026-11-03,gpt-6.2-sol,0.01\n")

    assert compare(cents, [a_call()], UTC).differences[0].kind == "not_here"
    assert told(compare(cents, [a_call(costNusd=9_000_000)], UTC))[0][:2] == ("differs", "cost")


def test_what_has_no_price_here_is_not_compared_by_its_cost():
    assert compare(days("1,1000,0,100,9"), [a_call(costNusd=None)], UTC).differences == []


def test_what_failed_or_was_not_sent_is_not_compared():
    calls = [a_call(), a_call(2, state="failed"), a_call(3, state="released")]

    assert compare(days("1,1000,0,100,0.00225"), calls, UTC).differences == []


def test_what_one_of_both_has_alone_is_told():
    found = compare(days("1,1000,0,100,0.00225"), [a_call(model="openai/other")], UTC)

    assert told(found) == [
        ("not_here", "", "", "1 request, 1000 in, 100 out, $0.00225"),
        ("not_there", "", "1 request, 1000 in, 100 out, $0.00225", ""),
    ]
    costs = of("date,model,cost\n2026-11-02,gpt-6.2-sol,0.00375\n")
    assert told(compare(costs, [], UTC)) == [("not_here", "", "", "$0.00375")]


def test_requests_are_compared_by_their_ids():
    calls = [a_call(), a_call(2, **{**SECOND, "outputTokens": 51}), a_call(3)]
    export = read("requests.csv", "openai")

    found = compare(export, calls, UTC)

    assert [(row.kind, row.id, row.attempt, row.measure) for row in found.differences] == [
        ("differs", "chatcmpl-2", "att_2", "output"),
        ("not_there", "chatcmpl-3", "att_3", ""),
    ]
    found = compare(export, [a_call()], UTC)
    assert [(row.kind, row.id) for row in found.differences] == [("not_here", "chatcmpl-2")]


def test_a_call_belongs_to_the_day_of_the_zone():
    export = of("date,model,input_tokens\n2026-11-02,gpt-6.2-sol,1000\n")
    late = a_call(startedMs=ms("2026-11-03T05:00:00Z"))

    assert compare(export, [late], ZoneInfo("America/Los_Angeles")).differences == []
    assert len(compare(export, [late], UTC).differences) == 2


def unknown(id, **changes):
    return a_call(
        id, state="unknown", providerId=None, promptTokens=0, outputTokens=0,
        costNusd=9_000_000, **changes,
    )  # fmt: skip


def test_the_rest_of_a_day_is_of_the_only_unknown_call():
    found = compare(days("2,1900,100,150,0.00375"), [a_call(), unknown(2)], UTC)

    assert found.answers == [Answer(2, 900, 100, 50)]
    assert found.unknown == 1


def test_where_nothing_is_left_the_provider_did_nothing():
    export = days("1,1000,0,100,0.00225")

    found = compare(export, [a_call(), unknown(2), unknown(3)], UTC)
    alone = compare(export, [a_call(), unknown(4, model="openai/other")], UTC)

    assert found.answers == [Answer(2, None), Answer(3, None)]
    assert alone.answers == [Answer(4, None)]


def test_what_could_be_of_two_calls_is_of_none():
    found = compare(days("2,1900,100,150,0.00375"), [a_call(), unknown(2), unknown(3)], UTC)
    assert found.answers == []
    # Nor is it known from a file that says no requests.
    costs = of("date,model,cost\n2026-11-02,gpt-6.2-sol,0.00375\n")
    assert compare(costs, [a_call(), unknown(2)], UTC).answers == []
    # Nor from sums that cannot be of one call.
    odd = compare(days("2,900,100,150,0.00375"), [a_call(), unknown(2)], UTC)
    assert odd.answers == []


def test_a_row_is_of_the_unknown_call_at_its_time():
    export = read("requests.csv", "openai")
    here = unknown(2, startedMs=ms("2026-11-02T10:04:59Z"), endedMs=ms("2026-11-02T10:05:01Z"))

    found = compare(export, [a_call(), here], UTC)
    assert found.answers == [Answer(2, 900, 100, 50)]

    again = {**here, "id": 3}
    assert compare(export, [a_call(), here, again], UTC).answers == []
    other = {**here, "model": "openai/other"}
    assert compare(export, [a_call(), other], UTC).answers == []
    later = {**here, "startedMs": ms("2026-11-02T12:00:00Z"), "endedMs": None}
    assert compare(export, [a_call(), later], UTC).answers == []


def test_open_calls_are_counted_and_not_compared():
    found = compare(days("1,1000,0,100,0.00225"), [a_call(), a_call(2, state="pending")], UTC)

    assert (found.open, found.differences) == (1, [])
