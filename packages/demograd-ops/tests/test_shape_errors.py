"""What is wrong with shapes, indices and settings, and the way out: whole messages."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import demograd as dg
from demograd import ops
from demograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    DemogradError,
    DtypeError,
    OutOfRangeError,
    ShapeError,
)

X = dg.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
INDEX = dg.tensor([[0, 1, 2], [1, 0, 2]])
N = dg.tensor(1.0)
IMAGES = dg.ones(2, 3, 5, 5)

CASES: list[tuple[Callable[[], Any], type[DemogradError], type[Exception], str]] = [
    (
        lambda: ops.cat([X, X[:, :2]]),
        ShapeError,
        ValueError,
        "cat: the shapes differ elsewhere than in dimension 0.\n"
        "  tensor 0: shape (2, 3)\n"
        "  tensor 1: shape (2, 2)\n"
        "dg.cat(tensors, 1) would fit.",
    ),
    (
        lambda: ops.cat([X, X[0]]),
        ShapeError,
        ValueError,
        "cat: the numbers of dimensions differ.\n"
        "  tensor 0: shape (2, 3)\n"
        "  tensor 1: shape (3,)\n"
        "x.unsqueeze(dim) adds one; dg.stack(tensors) joins along a new one.",
    ),
    (
        lambda: ops.cat([N, N]),
        ShapeError,
        ValueError,
        "cat: a tensor without dimensions cannot be joined.\n"
        "  tensor 0: shape ()\n"
        "  tensor 1: shape ()\n"
        "dg.stack(tensors) joins along a new dimension.",
    ),
    (
        lambda: ops.cat([]),
        ArgumentError,
        ValueError,
        "cat: the list of tensors is empty.",
    ),
    (
        lambda: ops.cat(X),  # type: ignore[arg-type]
        ArgumentTypeError,
        TypeError,
        "cat: expected a list or tuple of tensors, not Tensor.\ndg.cat([x, y])",
    ),
    (
        lambda: ops.cat([X, 2.0]),  # type: ignore[arg-type]
        ArgumentTypeError,
        TypeError,
        "cat: expected a Tensor, not float.\ndg.tensor(x) makes one.",
    ),
    (
        lambda: ops.cat([X, X], 2),
        OutOfRangeError,
        IndexError,
        "cat: dimension 2 does not exist.\n  x: 2 dimensions, so dim from -2 to 1",
    ),
    (
        lambda: ops.stack([X, X[:, :2]]),
        ShapeError,
        ValueError,
        "stack: the shapes differ.\n"
        "  tensor 0: shape (2, 3)\n"
        "  tensor 1: shape (2, 2)\n"
        "dg.cat(tensors, dim) joins along a dimension whose lengths may differ.",
    ),
    (
        lambda: ops.stack([]),
        ArgumentError,
        ValueError,
        "stack: the list of tensors is empty.",
    ),
    (
        lambda: ops.stack([X, X], 3),
        OutOfRangeError,
        IndexError,
        "stack: dimension 3 does not exist.\n  x: 3 dimensions, so dim from -3 to 2",
    ),
    (
        lambda: ops.split(X, [1, 1], 1),
        ShapeError,
        ValueError,
        "split: the lengths do not sum to that of the dimension.\n"
        "  x: shape (2, 3)   dimension 1 has length 3\n"
        "  lengths: [1, 1]   their sum is 2",
    ),
    (
        lambda: ops.split(X, [4, -1], 1),
        ArgumentError,
        ValueError,
        "split: a length is negative in [4, -1].",
    ),
    (
        lambda: ops.split(X, 0),
        ArgumentError,
        ValueError,
        "split: a piece cannot have length 0.\n  x: shape (2, 3)   dimension 0 has length 2",
    ),
    (
        lambda: ops.split(N, 1),
        ShapeError,
        ValueError,
        "split: a tensor without dimensions cannot be divided.",
    ),
    (
        lambda: ops.split(X, 1, 2),
        OutOfRangeError,
        IndexError,
        "split: dimension 2 does not exist.\n  x: 2 dimensions, so dim from -2 to 1",
    ),
    (
        lambda: ops.chunk(X, 0),
        ArgumentError,
        ValueError,
        "chunk: the number of pieces must be positive, not 0.",
    ),
    (
        lambda: ops.unbind(N),
        ShapeError,
        ValueError,
        "unbind: a tensor without dimensions cannot be divided.",
    ),
    (
        lambda: ops.view(X, 4, 2),
        ShapeError,
        ValueError,
        "reshape: the numbers of elements differ.\n"
        "  x: shape (2, 3)   6 elements\n"
        "  wanted: (4, 2)   8 elements\n"
        "One length may be -1: it is then computed from the others.",
    ),
    (
        lambda: ops.flatten(X, 1, 0),
        ArgumentError,
        ValueError,
        "flatten: start_dim comes after end_dim.\n  x: shape (2, 3)\n  start_dim: 1\n  end_dim: 0",
    ),
    (
        lambda: ops.unflatten(X, 1, (2, 2)),
        ShapeError,
        ValueError,
        "unflatten: the sizes do not multiply to the length of the dimension.\n"
        "  x: shape (2, 3)   dimension 1 has length 3\n"
        "  sizes: (2, 2)\n"
        "One size may be -1: it is then computed from the others.",
    ),
    (
        lambda: ops.squeeze(X, 2),
        OutOfRangeError,
        IndexError,
        "squeeze: dimension 2 does not exist.\n  x: 2 dimensions, so dim from -2 to 1",
    ),
    (
        lambda: ops.squeeze(X, (0, 0)),
        ArgumentError,
        ValueError,
        "squeeze: a dimension appears twice in (0, 0).",
    ),
    (
        lambda: ops.unsqueeze(X, 3),
        OutOfRangeError,
        IndexError,
        "unsqueeze: dimension 3 does not exist.\n  x: 3 dimensions, so dim from -3 to 2",
    ),
    (
        lambda: ops.movedim(X, (0, 1), 0),
        ArgumentError,
        ValueError,
        "movedim: each source needs one destination.\n  source: (0, 1)\n  destination: 0",
    ),
    (
        lambda: ops.broadcast_to(X, (2, 4)),
        ShapeError,
        ValueError,
        "broadcast_to: only dimensions of length one can be repeated.\n"
        "  x: shape (2, 3)\n"
        "  wanted: (2, 4)",
    ),
    (
        lambda: ops.flip(X, (0, 0)),
        ArgumentError,
        ValueError,
        "flip: a dimension appears twice in (0, 0).",
    ),
    (
        lambda: ops.roll(X, (1, 2), 0),
        ArgumentError,
        ValueError,
        "roll: there must be one shift for each dimension.\n  shifts: (1, 2)\n  dims: 0",
    ),
    (
        lambda: ops.repeat(X, 2),
        ShapeError,
        ValueError,
        "repeat: every dimension needs a number of repeats.\n"
        "  x: shape (2, 3)   2 dimensions\n"
        "  repeats: (2,)\n"
        "dg.tile(x, repeats) takes one for the missing ones.",
    ),
    (
        lambda: ops.tile(X, -1),
        ArgumentError,
        ValueError,
        "tile: a number of repeats is negative in (1, -1).",
    ),
    (
        lambda: ops.repeat_interleave(X, [1, 2], 1),
        ArgumentError,
        ValueError,
        "repeat_interleave: expected one whole number of repeats, or one for each element.\n"
        "  x: dimension 1 has length 3\n"
        "  repeats: [1, 2]",
    ),
    (
        lambda: ops.repeat_interleave(X, 1.5),  # type: ignore[arg-type]
        ArgumentError,
        ValueError,
        "repeat_interleave: expected one whole number of repeats, or one for each element.\n"
        "  x: dimension 0 has length 6\n"
        "  repeats: 1.5",
    ),
    (
        lambda: ops.pad(X, (1,)),
        ArgumentError,
        ValueError,
        "pad: the widths come in pairs, but there are 1.\npad(x, (left, right, top, bottom))",
    ),
    (
        lambda: ops.pad(X, (1, 1), "wrap"),
        ArgumentError,
        ValueError,
        'pad: mode is \'wrap\'.\nUse "constant", "reflect", "replicate" or "circular".',
    ),
    (
        lambda: ops.pad(X, (1, 1), "reflect", 2.0),
        ArgumentError,
        ValueError,
        "pad: mode 'reflect' takes no value.",
    ),
    (
        lambda: ops.pad(X, (1, 1, 1, 1, 1, 1)),
        ShapeError,
        ValueError,
        "pad: there are more pairs of widths than dimensions.\n"
        "  x: shape (2, 3)   2 dimensions\n"
        "  pad: (1, 1, 1, 1, 1, 1)",
    ),
    (
        lambda: ops.pad(X, (-2, -2)),
        ShapeError,
        ValueError,
        "pad: more would be taken away than there is.\n  x: shape (2, 3)\n  pad: (-2, -2)",
    ),
    (
        lambda: ops.pad(X, (3, 1), "reflect"),
        ShapeError,
        ValueError,
        "pad: mode 'reflect' can add 2 elements at most.\n"
        "  x: shape (2, 3)   dimension 1 has length 3\n"
        "  pad: 3 before and 1 after",
    ),
    (
        lambda: ops.gather(X, 1, dg.tensor([[0, 3]])),
        OutOfRangeError,
        IndexError,
        "gather: index 3 is outside dimension 1.\n"
        "  x: dimension 1 has length 3, so an index is from 0 to 2",
    ),
    (
        lambda: ops.gather(X, 1, dg.tensor([[0, -1]])),
        OutOfRangeError,
        IndexError,
        "gather: index -1 is outside dimension 1.\n"
        "  x: dimension 1 has length 3, so an index is from 0 to 2\n"
        "index % 3 counts negative ones from the end.",
    ),
    (
        lambda: ops.gather(X, 1, dg.tensor([0])),
        ShapeError,
        ValueError,
        "gather: the index does not fit the tensor.\n"
        "  x: shape (2, 3)\n"
        "  index: shape (1,)\n"
        "It must have as many dimensions, and be no longer except along dimension 1.",
    ),
    (
        lambda: ops.gather(X, 1, dg.zeros(3, 1, dtype=dg.int64)),
        ShapeError,
        ValueError,
        "gather: the index does not fit the tensor.\n"
        "  x: shape (2, 3)\n"
        "  index: shape (3, 1)\n"
        "It must have as many dimensions, and be no longer except along dimension 1.",
    ),
    (
        lambda: ops.gather(X, 1, X),
        DtypeError,
        TypeError,
        "gather: an index is of integers.\n"
        "  index: shape (2, 3), dtype float32\n"
        "index.long() makes integers of it.",
    ),
    (
        lambda: ops.gather(X, 2, INDEX),
        OutOfRangeError,
        IndexError,
        "gather: dimension 2 does not exist.\n  x: 2 dimensions, so dim from -2 to 1",
    ),
    (
        lambda: ops.index_select(X, 1, dg.tensor([3])),
        OutOfRangeError,
        IndexError,
        "index_select: index 3 is outside dimension 1.\n"
        "  x: dimension 1 has length 3, so an index is from 0 to 2",
    ),
    (
        lambda: ops.index_select(X, 1, INDEX),
        ShapeError,
        ValueError,
        "index_select: the index must be a vector.\n  index: shape (2, 3)",
    ),
    (
        lambda: ops.take_along_dim(X, dg.tensor([0]), 1),
        ShapeError,
        ValueError,
        "take_along_dim: the shapes do not broadcast.\n"
        "  x: shape (2, 3)\n"
        "  indices: shape (1,)\n"
        "Except along dimension 1, lengths must be equal, or one of them 1.",
    ),
    (
        lambda: ops.take_along_dim(X, dg.tensor([[3]]), 1),
        OutOfRangeError,
        IndexError,
        "take_along_dim: index 3 is outside dimension 1.\n"
        "  x: dimension 1 has length 3, so an index is from 0 to 2",
    ),
    (
        lambda: ops.scatter(X, 1, INDEX, dg.ones(2, 2)),
        ShapeError,
        ValueError,
        "scatter: the index is longer than the source.\n  index: shape (2, 3)\n  src: shape (2, 2)",
    ),
    (
        lambda: ops.scatter(X, 1, INDEX, dg.ones(2, 3, dtype=dg.float64)),
        DtypeError,
        TypeError,
        "scatter: the source has another type than the tensor.\n"
        "  x: dtype float32\n"
        "  src: dtype float64\n"
        "src.to(x.dtype) has the same.",
    ),
    (
        lambda: ops.scatter(X, 1, INDEX),
        ArgumentTypeError,
        TypeError,
        "scatter: give either src or value.",
    ),
    (
        lambda: ops.scatter_add(X, 0, INDEX, X),
        OutOfRangeError,
        IndexError,
        "scatter_add: index 2 is outside dimension 0.\n"
        "  x: dimension 0 has length 2, so an index is from 0 to 1",
    ),
    (
        lambda: ops.masked_fill(X, X, 0.0),
        DtypeError,
        TypeError,
        "masked_fill: a mask is of booleans.\n"
        "  mask: shape (2, 3), dtype float32\n"
        "mask != 0, or mask.bool(), makes booleans of it.",
    ),
    (
        lambda: ops.masked_fill(X, X > 0, dg.tensor([1.0])),
        ShapeError,
        ValueError,
        "masked_fill: the value must be a number.\n"
        "  value: shape (1,)\n"
        "dg.where(mask, value, x) takes the elements of a tensor.",
    ),
    (
        lambda: ops.masked_fill(X, dg.tensor([True, False]), 0.0),
        ShapeError,
        ValueError,
        "masked_fill: the shapes do not broadcast.\n"
        "  x: shape (2, 3)\n"
        "  mask: shape (2,)\n"
        "Lengths must be equal, or one of them 1, counted from the last dimension.",
    ),
    (
        lambda: ops.masked_select(X, dg.tensor([True, False])),
        ShapeError,
        ValueError,
        "masked_select: the shapes do not broadcast.\n"
        "  x: shape (2, 3)\n"
        "  mask: shape (2,)\n"
        "Lengths must be equal, or one of them 1, counted from the last dimension.",
    ),
    (
        lambda: ops.tril(X[0]),
        ShapeError,
        ValueError,
        "tril: a matrix has at least two dimensions.\n  x: shape (3,)",
    ),
    (
        lambda: ops.diagonal(X, 0, 1, -1),
        ArgumentError,
        ValueError,
        "diagonal: dim1 and dim2 are both dimension 1.",
    ),
    (
        lambda: ops.diag(N),
        ShapeError,
        ValueError,
        "diag: expected a vector or a matrix.\n"
        "  x: shape ()\n"
        "dg.diagonal(x, dim1=-2, dim2=-1) takes the diagonals of a stack of matrices.",
    ),
    (
        lambda: ops.topk(X, 4),
        OutOfRangeError,
        IndexError,
        "topk: there are not 4 elements to choose.\n  x: shape (2, 3)   dimension 1 has length 3",
    ),
    (
        lambda: ops.dot(X, X),
        ShapeError,
        ValueError,
        "dot: expected a vector and a vector.\n"
        "  x: shape (2, 3)\n"
        "  y: shape (2, 3)\n"
        "x @ y multiplies vectors, matrices and stacks of them.",
    ),
    (
        lambda: ops.dot(X[0], X[0, :2]),
        ShapeError,
        ValueError,
        "dot: the inner lengths differ.\n  x: shape (3,)\n  y: shape (2,)",
    ),
    (
        lambda: ops.mm(X, X),
        ShapeError,
        ValueError,
        "mm: the inner lengths differ.\n"
        "  x: shape (2, 3)\n"
        "  y: shape (2, 3)\n"
        "dg.mm(x, y.mT) would fit.",
    ),
    (
        lambda: ops.bmm(dg.ones(2, 2, 3), dg.ones(3, 3, 2)),
        ShapeError,
        ValueError,
        "bmm: the stacks differ in length.\n  x: shape (2, 2, 3)\n  y: shape (3, 3, 2)",
    ),
    (
        lambda: ops.outer(X, X[0]),
        ShapeError,
        ValueError,
        "outer: expected a vector and a vector.\n"
        "  x: shape (2, 3)\n"
        "  y: shape (3,)\n"
        "x @ y multiplies vectors, matrices and stacks of them.",
    ),
    (
        lambda: ops.norm(INDEX),
        DtypeError,
        TypeError,
        "norm: the norm of integers or booleans is not one of them.\n"
        "  x: shape (2, 3), dtype int64\n"
        "x.float().norm(), or norm(x, dtype=dg.float32).",
    ),
    (
        lambda: ops.norm(X, "nuc"),
        ArgumentError,
        ValueError,
        'norm: p is \'nuc\'.\nUse a number, float("inf"), or "fro".',
    ),
    (
        lambda: ops.norm(dg.zeros(0), float("inf")),
        ShapeError,
        ValueError,
        "norm: there is nothing to choose from.\n  x: shape (0,)   dimension 0 has length 0",
    ),
    (
        lambda: ops.einsum("ij,jk->ik", X),
        ShapeError,
        ValueError,
        "einsum: the equation 'ij,jk->ik' does not fit the operands.\n"
        "  equation: 2 operands\n"
        "  given: 1",
    ),
    (
        lambda: ops.einsum("ijk->i", X),
        ShapeError,
        ValueError,
        "einsum: the equation 'ijk->i' does not fit operand 0.\n"
        "  equation: 'ijk' names 3 dimensions\n"
        "  operand 0: shape (2, 3)   2 dimensions",
    ),
    (
        lambda: ops.einsum("ij,jk->ik", X, X),
        ShapeError,
        ValueError,
        "einsum: in 'ij,jk->ik' the letter 'j' stands for two lengths.\n"
        "  tensor 0: shape (2, 3)\n"
        "  tensor 1: shape (2, 3)\n"
        "  lengths: 3 and 2",
    ),
    (
        lambda: ops.einsum("ii", X),
        ShapeError,
        ValueError,
        "einsum: in 'ii' the letter 'i' stands for two lengths.\n"
        "  tensor 0: shape (2, 3)\n"
        "  lengths: 2 and 3",
    ),
    (
        lambda: ops.einsum("i1->i", X),
        ArgumentError,
        ValueError,
        "einsum: the equation 'i1->i' cannot be read.\n"
        "  found: 'i1'\n"
        'Letters, at most one "..." for each operand, commas and one "->".',
    ),
    (
        lambda: ops.einsum("ij->k", X),
        ArgumentError,
        ValueError,
        "einsum: in 'ij->k' the letter 'k' is in the result only.",
    ),
    (
        lambda: ops.einsum("ij->ii", X),
        ArgumentError,
        ValueError,
        "einsum: in 'ij->ii' the letter 'i' is twice in the result.",
    ),
    (
        lambda: ops.conv2d(IMAGES, dg.ones(2, 2, 3, 3)),
        ShapeError,
        ValueError,
        "conv2d: the kernel is for another number of channels.\n"
        "  x: shape (2, 3, 5, 5)   3 channels\n"
        "  weight: shape (2, 2, 3, 3)   2 channels\n"
        "A kernel of shape (2, 3, 3, 3) would fit.",
    ),
    (
        lambda: ops.conv2d(IMAGES, dg.ones(4, 2, 3, 3), groups=2),
        ArgumentError,
        ValueError,
        "conv2d: the channels cannot be divided into 2 groups.\n"
        "  x: 3 channels\n"
        "  weight: 4 output channels",
    ),
    (
        lambda: ops.conv2d(dg.ones(1, 4, 5, 5), dg.ones(4, 1, 3, 3), groups=2),
        ShapeError,
        ValueError,
        "conv2d: the kernel is for another number of channels.\n"
        "  x: shape (1, 4, 5, 5)   4 channels\n"
        "  weight: shape (4, 1, 3, 3)   1 channels in each of 2 groups\n"
        "A kernel of shape (4, 2, 3, 3) would fit.",
    ),
    (
        lambda: ops.conv2d(IMAGES, dg.ones(2, 3, 3)),
        ShapeError,
        ValueError,
        "conv2d: a kernel has four dimensions, (O, C / groups, kh, kw).\n  weight: shape (2, 3, 3)",
    ),
    (
        lambda: ops.conv2d(IMAGES[0, 0], dg.ones(2, 3, 3, 3)),
        ShapeError,
        ValueError,
        "conv2d: expected images (N, C, H, W) or one image (C, H, W).\n  x: shape (5, 5)",
    ),
    (
        lambda: ops.conv2d(IMAGES, dg.ones(2, 3, 6, 3)),
        ShapeError,
        ValueError,
        "conv2d: the kernel is larger than the padded images.\n"
        "  x: shape (2, 3, 5, 5)   padded to 5 x 5\n"
        "  weight: shape (2, 3, 6, 3)   reaches over 6 x 3",
    ),
    (
        lambda: ops.conv2d(IMAGES, dg.ones(2, 3, 3, 3), dg.ones(3)),
        ShapeError,
        ValueError,
        "conv2d: the bias needs one element for each output channel.\n"
        "  bias: shape (3,)\n"
        "  weight: shape (2, 3, 3, 3)",
    ),
    (
        lambda: ops.conv2d(IMAGES, dg.ones(2, 3, 3, 3), stride=0),
        ArgumentError,
        ValueError,
        "conv2d: stride is 0.\nUse a whole number from 1, or two of them for (rows, columns).",
    ),
    (
        lambda: ops.conv2d(IMAGES, dg.ones(2, 3, 3, 3), padding="full"),
        ArgumentError,
        ValueError,
        "conv2d: padding is 'full'.\n"
        "Use a whole number from 0, or two of them for (rows, columns).",
    ),
    (
        lambda: ops.conv2d(IMAGES, dg.ones(2, 3, 3, 3), padding="same", stride=2),
        ArgumentError,
        ValueError,
        'conv2d: padding "same" is for stride 1 only.',
    ),
    (
        lambda: ops.max_pool2d(IMAGES, 6),
        ShapeError,
        ValueError,
        "max_pool2d: the window is larger than the padded images.\n"
        "  x: shape (2, 3, 5, 5), padded by (0, 0)\n"
        "  window: reaches over 6 x 6",
    ),
    (
        lambda: ops.max_pool2d(IMAGES, 3, padding=2),
        ArgumentError,
        ValueError,
        "max_pool2d: the padding is more than half the window.\n"
        "  padding: (2, 2)\n"
        "  kernel_size: (3, 3)",
    ),
    (
        lambda: ops.max_pool2d(IMAGES, (1, 2, 3)),  # type: ignore[arg-type]
        ArgumentError,
        ValueError,
        "max_pool2d: kernel_size is (1, 2, 3).\n"
        "Use a whole number from 1, or two of them for (rows, columns).",
    ),
    (
        lambda: ops.avg_pool2d(IMAGES.long(), 2),
        DtypeError,
        TypeError,
        "avg_pool2d: the mean of integers is not one of them.\n"
        "  x: shape (2, 3, 5, 5), dtype int64\n"
        "x.float() makes floats of it.",
    ),
    (
        lambda: ops.avg_pool2d(IMAGES, 2, divisor_override=0),
        ArgumentError,
        ValueError,
        "avg_pool2d: divisor_override is 0.",
    ),
    (
        lambda: ops.view([1.0], 1),  # type: ignore[arg-type]
        ArgumentTypeError,
        TypeError,
        "view: expected a Tensor, not list.\ndg.tensor(x) makes one.",
    ),
    (
        lambda: np.linalg.norm(X, 2),  # type: ignore[call-overload]
        ArgumentError,
        ValueError,
        "norm: the matrix norm 2 is not available.\n"
        'There are "fro", 1, -1, inf and -inf; the others need singular values.',
    ),
    (
        lambda: np.split(X, 2, axis=1),  # type: ignore[call-overload]
        ShapeError,
        ValueError,
        "np.split: 2 equal pieces are not possible.\n  x: shape (2, 3)   dimension 1 has length 3",
    ),
    (
        lambda: np.squeeze(X, axis=0),  # type: ignore[call-overload]
        ShapeError,
        ValueError,
        "np.squeeze: a dimension is not of length one.\n"
        "  x: shape (2, 3)   dimension 0 has length 2",
    ),
]


@pytest.mark.parametrize(
    ("call", "error", "builtin", "text"), CASES, ids=[case[3].split("\n")[0] for case in CASES]
)
def test_an_error_says_what_is_wrong_and_the_way_out(
    call: Callable[[], Any], error: type[DemogradError], builtin: type[Exception], text: str
) -> None:
    with pytest.raises(builtin) as e:
        call()
    assert type(e.value) is error
    assert str(e.value) == text


def test_what_is_refused_in_place_leaves_the_tensor_as_it_was() -> None:
    x = dg.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    for change in (
        lambda: x.scatter_(1, INDEX, dg.ones(2, 2)),
        lambda: x.scatter_add_(0, INDEX, X),
        lambda: x.masked_fill_(dg.tensor([True, False]), 0.0),
    ):
        with pytest.raises(DemogradError):
            change()
        assert x.tolist() == X.tolist()
