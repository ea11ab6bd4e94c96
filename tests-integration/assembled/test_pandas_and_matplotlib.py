"""pandas and Matplotlib take tensors as they take arrays, and lose no gradient in silence."""

import numpy as np
import pytest

import demograd as dg
from demograd.errors import DemogradError, GradientError

X = np.array([0.5, 1.5, -2.0])


@pytest.fixture
def pd():
    return pytest.importorskip("pandas", reason="pandas is not installed")


@pytest.fixture
def axes():
    pytest.importorskip("matplotlib", reason="Matplotlib is not installed")
    from matplotlib.figure import Figure

    return Figure().add_subplot()


def test_a_series_and_a_frame_are_made_of_tensors(pd):
    x = dg.tensor(X)
    series = pd.Series(x, name="x")
    assert series.dtype == "float64"
    assert series.tolist() == X.tolist()
    frame = pd.DataFrame({"x": x, "i": dg.tensor([1, 2, 3]), "b": dg.tensor([True, False, True])})
    assert [str(kind) for kind in frame.dtypes] == ["float64", "int64", "bool"]
    assert pd.DataFrame(dg.ones(2, 3), columns=list("abc")).shape == (2, 3)
    frame["y"] = x * 2
    assert frame["y"].tolist() == (2 * X).tolist()
    assert frame.loc[frame["x"] > 0, "y"].sum() == 4.0


def test_a_column_becomes_a_tensor(pd):
    frame = pd.DataFrame({"x": X})
    assert dg.tensor(frame["x"].to_numpy()).tolist() == X.tolist()
    assert dg.from_numpy(frame.to_numpy()).shape == (3, 1)


def test_pandas_is_refused_a_tensor_that_requires_a_gradient(pd):
    x = dg.tensor(X, requires_grad=True)
    for make in (pd.Series, pd.DataFrame, lambda x: pd.DataFrame({"x": x})):
        with pytest.raises(GradientError):
            make(x)
    # One number at a time: what a record of losses is made of.
    assert pd.Series([x[0].item(), x[1].item()]).tolist() == X[:2].tolist()


def test_a_series_and_a_tensor_meet_in_an_operator(pd):
    series, x = pd.Series(X), dg.tensor(X, requires_grad=True)
    for operation in (lambda a, b: a + b, lambda a, b: a * b, np.add):
        for a, b in ((series, x), (x, series)):
            try:
                out = operation(a, b)
            except (TypeError, DemogradError):
                continue
            assert isinstance(out, dg.Tensor), type(out)
            assert out.requires_grad
    plain = series + x.detach().numpy()
    assert plain.tolist() == (2 * X).tolist()


def test_curves_points_and_bars_are_drawn_of_tensors(axes):
    x, y = dg.linspace(0, 1, 3, dtype="float64"), dg.tensor(X)
    (line,) = axes.plot(x, y)
    np.testing.assert_array_equal(line.get_ydata(), X)
    (line,) = axes.plot(y)
    np.testing.assert_array_equal(line.get_xdata(), [0, 1, 2])
    points = axes.scatter(x, y, c=y, s=dg.tensor([10.0, 20.0, 30.0]))
    np.testing.assert_array_equal(points.get_offsets()[:, 1], X)
    bars = axes.bar(dg.arange(3), y)
    assert [bar.get_height() for bar in bars] == X.tolist()
    axes.fill_between(x, y - 1, y + 1)
    axes.errorbar(x, y, yerr=dg.ones(3))
    axes.axhline(y.mean())
    counts, edges, _ = axes.hist(y, bins=2)
    assert (counts.sum(), edges[0]) == (3.0, -2.0)
    axes.figure.canvas.draw()


def test_images_and_contours_are_drawn_of_tensors(axes):
    image = dg.arange(12.0).reshape(3, 4)
    drawn = axes.imshow(image)
    np.testing.assert_array_equal(drawn.get_array(), image.numpy())
    axes.contour(image)
    axes.contourf(image * 2)
    axes.pcolormesh(image)
    axes.figure.canvas.draw()


def test_matplotlib_is_refused_a_tensor_that_requires_a_gradient(axes):
    x = dg.tensor(X, requires_grad=True)
    for draw in (axes.plot, lambda x: axes.plot(x, X), lambda x: axes.scatter(X, x), axes.hist):
        with pytest.raises(DemogradError):
            draw(x)
    with pytest.raises(DemogradError):
        axes.imshow(x.reshape(1, 3))
    axes.plot(x.detach())
