"""The benchmark's table over commits: what is a quarter worse than the last row is named."""

import importlib.util
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench"
_spec = importlib.util.spec_from_file_location("benchmark_history", BENCH / "history.py")
history = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(history)

ROWS = [
    {"date": "2026-01-01", "commit": "aaa", "moons": "0.20", "moons memory": "0.50", "mlp": "0.60"},
    {"date": "2026-02-01", "commit": "bbb", "moons": "0.40", "moons memory": "0.50", "mlp": ""},
]


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        ({"moons": 0.40}, []),
        ({"moons": 0.50}, []),  # a quarter exactly
        (
            {"moons": 0.51},
            [
                "moons: the ratio is 0.51, a quarter worse than the 0.40 of commit bbb "
                "(more than 0.50)"
            ],
        ),
        (
            {"moons": 0.39, "moons memory": 0.70},
            [
                "moons memory: the ratio is 0.70, a quarter worse than the 0.50 of commit bbb "
                "(more than 0.62)"
            ],
        ),
        # The last row lacks it: the last that has it counts.
        (
            {"mlp": 0.90},
            [
                "mlp: the ratio is 0.90, a quarter worse than the 0.60 of commit aaa "
                "(more than 0.75)"
            ],
        ),
        ({"moons": 0.10, "a new work": 9.00}, []),
    ],
)
def test_what_is_a_quarter_worse_than_the_last_row_is_named(ratios, expected):
    assert history.complaints(ROWS, ratios) == expected


def test_next_to_nothing_may_grow_by_a_quarter_and_not_to_something():
    rows = [{"date": "2026-01-01", "commit": "aaa", "forward memory": "0.00"}]
    assert history.complaints(rows, {"forward memory": 0.02}) == []
    assert len(history.complaints(rows, {"forward memory": 0.11})) == 1


@pytest.mark.parametrize("rows", [[], ROWS])
def test_a_check_that_could_not_fail_is_refused(rows):
    with pytest.raises(ValueError) as e:
        history.complaints(rows, {"a new work": 1.0})
    assert str(e.value) == "nothing to compare with: record a row first, by --record"


def test_a_recorded_row_is_read_again_and_new_works_get_a_column(tmp_path):
    path = tmp_path / "history.csv"
    assert history.read(path) == []
    history.append(path, "2026-01-01", "aaa", {"moons": 0.4})
    history.append(path, "2026-02-01", "bbb", {"gpt": 1.0, "moons": 0.444})
    assert path.read_text() == (
        "date,commit,moons,gpt\n2026-01-01,aaa,0.40,\n2026-02-01,bbb,0.44,1.00\n"
    )
    assert history.complaints(history.read(path), {"moons": 0.58, "gpt": 1.2}) == [
        "moons: the ratio is 0.58, a quarter worse than the 0.44 of commit bbb (more than 0.55)"
    ]


def test_the_table_of_the_docs_has_rows_of_numbers():
    rows = history.read(BENCH.parents[1] / "docs" / "benchmark-history.csv")
    assert rows != []
    for row in rows:
        ratios = {name: row[name] for name in row if name not in ("date", "commit")}
        assert all(value == "" or float(value) >= 0 for value in ratios.values())
        # To two digits, the memory of a step may be nothing; its time is not.
        times = {name: value for name, value in ratios.items() if not name.endswith("memory")}
        assert all(value == "" or float(value) > 0 for value in times.values())
