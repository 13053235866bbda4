"""How large a model is laid out, by the memory that there is."""

from larouter.core.room import MB, Plan, Sizes, plan, smallest

GB = 1_000 * MB
SMALL = Sizes(weights=100 * MB, token=23_040, trained=8_192)
"""As the starter model: 30 layers, 3 heads of 64 numbers, keys and values of 16 bits."""


def laid_out(*given, **options):
    found = plan(*given, **options)
    assert found is not None
    return found


def test_with_plenty_of_room_it_is_laid_out_in_full():
    found = laid_out(SMALL, 8 * GB)

    kept = 23_040 * 16_384
    assert found == Plan(16_384, 8, 512, 100 * MB + kept + 150 * MB + 512 * 2**20)


def test_no_model_is_laid_out_for_more_than_two_of_its_own_length_or_the_limit():
    assert laid_out(Sizes(weights=1), 8 * GB).context == 32_768
    assert laid_out(Sizes(weights=1, trained=131_072), 8 * GB).context == 32_768
    assert laid_out(Sizes(weights=1, trained=1_000), 8 * GB).context == 2_000


def test_with_less_room_what_speeds_up_goes_first():
    full = laid_out(SMALL, 8 * GB)

    tighter = laid_out(SMALL, full.bytes - 1)

    assert (tighter.context, tighter.slots, tighter.cache_mib) == (16_384, 8, 128)


def test_then_the_context_is_halved_and_with_it_the_slots():
    found = [laid_out(SMALL, room * MB) for room in (700, 550, 450, 400)]

    assert [(each.context, each.slots) for each in found] == [
        (8_192, 8), (4_096, 4), (2_048, 2), (2_048, 2),
    ]  # fmt: skip
    assert [each.cache_mib for each in found] == [128, 128, 128, 0]


def test_nothing_fits_into_too_little():
    least = smallest(SMALL)

    assert plan(SMALL, least.bytes) == least
    assert plan(SMALL, least.bytes - 1) is None


def test_beside_others_no_model_is_laid_out_too_tight():
    assert laid_out(SMALL, 700 * MB, least=8_192).context == 8_192
    assert laid_out(SMALL, 500 * MB, least=8_192).cache_mib == 0
    assert plan(SMALL, 430 * MB, least=8_192) is None


def test_a_short_model_is_laid_out_in_full_whatever_is_the_least():
    assert laid_out(Sizes(weights=1, trained=512), 8 * GB, least=8_192).context == 1_024


def test_layers_with_a_window_keep_no_more_than_it_for_each_slot():
    narrow = laid_out(Sizes(weights=0, window_token=1_000, window=512), 8 * GB)

    assert narrow.bytes == 1_000 * (512 * 8 + 128) + 150 * MB + 512 * 2**20


def test_an_engine_may_hold_a_quarter_more_than_its_laid_out():
    assert Plan(1, 1, 0, 4 * GB).limit == 5 * GB + 512 * MB


def test_a_batch_is_scored_for_every_word():
    plain, wordy = (
        laid_out(Sizes(weights=0), 8 * GB),
        laid_out(Sizes(weights=0, vocabulary=1_000), 8 * GB),
    )

    assert wordy.bytes - plain.bytes == 1_000 * 128 * 4
