"""What was thought of answers, on a real database, and what it makes of a project's bias."""

import pytest

from larouter.core.errors import BadRequest, NotFound
from larouter.core.route import Numbers
from larouter.store.feedback import MOST_LESSONS, Feedback, Learnt, guard_rows
from larouter.store.projects import Projects
from tests.store.bills import CLOUD, LOCAL

JUDGED = Numbers(probabilities=(0.4, 0.3, 0.2, 0.05, 0.05), need_strong=0.3)
ROWS = "SELECT request_id, kind, project_id, score FROM feedback"


@pytest.fixture
def projects(writer, book):
    return Projects(writer)


@pytest.fixture
def feedback(writer, projects):
    return Feedback(writer, projects, lambda bias: bias)


@pytest.fixture
def answered(bill):
    """A request of the book's project that a local model answered."""

    def answered(model=LOCAL, **facts):
        return bill(model, **{"numbers": JUDGED, **facts}).request.id

    return answered


def _bias(projects):
    return projects.get("notes").bias


def test_a_thumb_down_is_kept_and_taught_at_once(feedback, projects, answered, ask):
    request = answered()

    bias = feedback.note("prj_notes", request, -1.0)

    assert ask(ROWS) == [(request, "thumb", "prj_notes", -1.0)]
    assert 0 < bias == _bias(projects)
    assert ask("SELECT bias FROM project") == [(bias,)]


def test_a_bias_is_there_after_a_restart(feedback, writer, answered):
    bias = feedback.note("prj_notes", answered(), -1.0)

    assert _bias(Projects(writer)) == bias


def test_saying_it_again_changes_it(feedback, projects, answered, ask):
    request = answered()
    feedback.note("prj_notes", request, -1.0)

    feedback.note("prj_notes", request, 1.0)

    assert ask(ROWS) == [(request, "thumb", "prj_notes", 1.0)]
    assert _bias(projects) < 0


def test_a_thumb_can_be_taken_back(feedback, projects, answered):
    request = answered()
    feedback.note("prj_notes", request, -1.0)

    feedback.note("prj_notes", request, 0.0)

    assert _bias(projects) == 0
    assert feedback.learnt("prj_notes") == Learnt(bias=0.0, feedback={}, counted=0)


def test_kinds_are_kept_beside_each_other(feedback, answered):
    request = answered()
    for kind in ("thumb", "regeneration", "escalation"):
        feedback.note("prj_notes", request, -1.0, kind)

    learnt = feedback.learnt("prj_notes")

    assert learnt.feedback == {"thumb": 1, "regeneration": 1, "escalation": 1}
    assert learnt.counted == 3


@pytest.mark.parametrize("who", ["nobody", "other"])
def test_somebody_else_s_request_is_not_found(feedback, answered, book, projects, who):
    book.add_project("other")
    request = answered() if who == "other" else "req_none"

    with pytest.raises(NotFound) as caught:
        feedback.note("prj_other", request, -1.0)

    assert caught.value.code == "request_not_found"
    assert _bias(projects) == 0


@pytest.mark.parametrize(("score", "kind"), [(1.1, "thumb"), (-2, "thumb"), (1, "like")])
def test_what_is_no_feedback_is_refused(feedback, answered, score, kind, ask):
    with pytest.raises(BadRequest):
        feedback.note("prj_notes", answered(), score, kind)

    assert ask(ROWS) == []


def test_not_a_number_is_no_score(feedback, answered):
    with pytest.raises(BadRequest):
        feedback.note("prj_notes", answered(), float("nan"))


def test_a_cloud_s_answer_teaches_almost_nothing(feedback, answered):
    assert feedback.note("prj_notes", answered(CLOUD), -1.0) == 0
    assert 0 < feedback.note("prj_notes", answered(CLOUD), 1.0) < 0.01


def test_an_escalation_is_about_the_local_answer(feedback, answered):
    assert feedback.note("prj_notes", answered(CLOUD), -1.0, "escalation") > 0


@pytest.mark.parametrize("numbers", [Numbers(), Numbers(prompt_tokens=5)], ids=["none", "named"])
def test_what_the_classifier_did_not_judge_teaches_nothing(feedback, answered, numbers):
    assert feedback.note("prj_notes", answered(numbers=numbers), -1.0) == 0
    assert feedback.learnt("prj_notes") == Learnt(bias=0.0, feedback={"thumb": 1}, counted=0)


def test_a_request_that_reached_nobody_teaches_nothing(feedback, book):
    record = book.record(numbers=JUDGED)
    book.ledger.refuse(record, 424, "provider_not_configured")

    assert feedback.note("prj_notes", record.id, -1.0) == 0


def test_repeating_what_failed_or_is_still_open_says_nothing(feedback, answered, book, ask):
    open_one = book.reserve(LOCAL, numbers=JUDGED).request.id
    failed = answered(state="failed", outcome={"status": 502})
    for request in (open_one, failed):
        feedback.note("prj_notes", request, -1.0, "regeneration")

    assert ask(ROWS) == []


def test_a_thumb_may_come_before_the_answer_s_end(feedback, book, ask):
    feedback.note("prj_notes", book.reserve(LOCAL, numbers=JUDGED).request.id, -1.0)

    assert len(ask(ROWS)) == 1


def test_only_the_newest_feedback_counts(feedback, answered, writer):
    request = answered()
    copies = [(f"req_copy{number}", request) for number in range(MOST_LESSONS + 5)]

    def job(connection):
        columns = (
            "project_id, asked, tier, stage, score, reason, stream, started_ms, model, numbers"
        )
        for copy, original in copies:
            connection.execute(
                f"INSERT INTO request (id, {columns}) "  # noqa: S608 - named above
                f"SELECT ?, {columns} FROM request WHERE id=?",
                (copy, original),
            )
            connection.execute(
                "INSERT INTO feedback VALUES (?, 'thumb', 'prj_notes', 1.0, 0)", (copy,)
            )

    writer.run(job)

    feedback.note("prj_notes", request, -1.0)

    assert feedback.learnt("prj_notes").counted == MOST_LESSONS


def test_the_guard_s_rows_come_from_a_file_that_may_be_missing(tmp_path):
    path = tmp_path / "guard.json"
    assert guard_rows(path) == ()

    path.write_text("[[4, 0.9, 0, 0, 0.1, 0.2, 0.7]]")

    assert guard_rows(path)[0].tier == 4


def test_the_guard_has_the_last_word(writer, projects, answered):
    feedback = Feedback(writer, projects, lambda bias: min(bias, 0.01))

    assert feedback.note("prj_notes", answered(), -1.0) == 0.01


def test_a_reset_forgets_everything_of_one_project(feedback, projects, answered, book, ask):
    other = book.add_project("other")
    theirs = answered(project=other)
    feedback.note("prj_notes", answered(), -1.0)
    feedback.note("prj_other", theirs, -1.0)

    assert feedback.reset("prj_notes") == 1

    assert _bias(projects) == 0
    assert projects.get("other").bias > 0
    assert [row[0] for row in ask(ROWS)] == [theirs]
    assert feedback.reset("prj_notes") == 0


@pytest.mark.sqlite
def test_no_column_could_hold_what_was_asked(ask):
    columns = {name for _, name, *_ in ask("PRAGMA table_info(feedback)")}

    assert columns == {"request_id", "kind", "project_id", "score", "created_ms"}
