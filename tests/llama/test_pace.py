from funasr_cli.llama.pace import AGAIN, Pace


def run(pace: Pace, seconds: dict[int, float], tokens: int) -> list[int]:
    """Let `tokens` calls take as long as `seconds` says; return the choices."""
    chosen = []
    for _ in range(tokens):
        threads = pace.threads(1)
        pace.took(threads, 1, seconds[threads])
        chosen.append(threads)
    return chosen


def test_alone_all_threads_work() -> None:
    chosen = run(Pace(2), {2: 0.036, 1: 0.065}, 1000)
    assert chosen.count(1) <= 2 + 1000 // AGAIN


def test_beside_other_programs_one_thread_works_until_they_are_gone() -> None:
    pace = Pace(2)
    run(pace, {2: 0.036, 1: 0.065}, 100)
    crowded = run(pace, {2: 0.3, 1: 0.07}, 1000)
    assert crowded.count(2) <= 6 + 1000 // AGAIN
    later = run(pace, {2: 0.036, 1: 0.065}, 1000)
    # tried the more seldom the dearer it was: 0.3 for 0.07
    assert later.count(1) <= 5 * AGAIN + 1000 // AGAIN


def test_one_disturbed_call_changes_nothing() -> None:
    pace = Pace(4)
    run(pace, {4: 0.03, 1: 0.09}, 10)
    pace.took(4, 1, 2.0)
    assert pace.threads(1) == 4


def test_long_calls_get_all_threads_and_teach_nothing() -> None:
    pace = Pace(4)
    pace.took(4, 200, 9.0)
    assert (pace.threads(200), pace.threads(1)) == (4, 4)


def test_a_single_thread_stays_one() -> None:
    assert set(run(Pace(1), {1: 0.1}, 10)) == {1}


def test_several_rows_learn_for_themselves() -> None:
    pace = Pace(2)
    run(pace, {2: 0.036, 1: 0.065}, 50)
    for _ in range(20):
        threads = pace.threads(8)
        pace.took(threads, 8, {2: 0.9, 1: 0.2}[threads])
    assert (pace.threads(8), pace.threads(1)) == (1, 2)


def test_a_dear_choice_is_tried_seldom() -> None:
    chosen = run(Pace(16), {16: 0.01, 1: 0.12}, 5000)
    assert chosen.count(1) <= 10
