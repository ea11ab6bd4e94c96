"""Scaled dot-product attention, as one rule."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np

import demograd as dg
from demograd import Function, Tensor, ops
from demograd.errors import DtypeError, ShapeError
from demograd.nn.functional._dropout import check_probability
from demograd.nn.functional._operands import check_one_dtype, check_tensors, kind_of
from demograd.operators import mapped_alike, refuse_traced

__all__ = ["Attention", "scaled_dot_product_attention"]


class Attention(Function):
    """``softmax(s q kᵀ + m) v`` of stacks of matrices, and what the backward pass needs of P.

    m is added where it is of floats; of booleans, it leaves out what is not true, as ``causal``
    leaves out keys that come after the query. ``kept`` are the weights that a dropout leaves.

    P is the softmax, a weight for each pair of query and key. If there are no more pairs than
    numbers in q, k and v, it is the second output. Of longer sequences that is the logarithm ``ℓ``
    of the softmax's divisor, and the backward pass computes the scores S again, and ``P = e**(S -
    ℓ)`` without a maximum or a sum: what is kept is never larger than the inputs. With g the
    gradient of the result, and Π or λ that of the second output::

        dv = Pᵀ g        dP = g vᵀ + Π        dS = P (dP - Σ P dP + λ)        dm = dS
        dq = s dS k      dk = s dSᵀ q

    Dropout multiplies P by ``kept / (1 - p)`` in dv, and ``g vᵀ`` in dP. A row that sees no key has
    weights of zero.

    Reference: Vaswani et al., "Attention is all you need", 2017, section 3.2.1; Dao et al.,
    "FlashAttention", 2022, for ℓ.
    """

    def forward(
        self,
        q: Any,
        k: Any,
        v: Any,
        mask: Any,
        *,
        scale: float,
        causal: bool = False,
        kept: np.ndarray[Any, Any] | None = None,
        keep_scale: float = 1.0,
    ) -> Any:
        xp = self.xp
        self.set_materialize_grads(False)
        self.scale, self.causal, self.keep_scale = scale, causal, keep_scale
        on = None if kept is None else xp.from_numpy(kept)
        weights = self._scores(q, k, mask)
        peak = _peak(xp, weights)
        weights -= peak
        weights = xp.exp(weights)
        sums = xp.row_sums(weights)
        sums = sums + xp.astype(sums == 0, sums.dtype)
        pairs = math.prod(weights.shape)
        self.short = pairs <= sum(math.prod(x.shape) for x in (q, k, v))
        if self.short:
            weights /= sums
        used = weights if on is None else xp.where(on, weights * keep_scale, 0.0)
        out = used @ v
        if self.short:
            self.save_for_backward(q, k, v, mask, weights, on)
            return out, weights
        # Dividing after the product divides fewer numbers.
        out /= sums
        level = peak + xp.log(sums)
        self.save_for_backward(q, k, v, mask, level, on)
        return out, level

    def backward(self, grad: Any, second_grad: Any) -> Any:
        q, k, v, mask, second, on = self.saved_tensors
        xp = self.xp
        q_needed, k_needed, v_needed, mask_needed = self.needs_input_grad
        weights = second if self.short else xp.exp(self._scores(q, k, mask) - second)
        v_grad = q_grad = k_grad = None
        scores_grad: Any = None
        if v_needed and grad is not None:
            used = weights if on is None else xp.where(on, weights * self.keep_scale, 0.0)
            v_grad = used.mT @ grad
        if q_needed or k_needed or mask_needed:
            weights_grad: Any = None if grad is None else xp.row_products(grad, v)
            if on is not None and grad is not None:
                weights_grad = xp.where(on, weights_grad * self.keep_scale, 0.0)
            level_grad = None if self.short else second_grad
            if self.short and second_grad is not None:
                weights_grad = second_grad if grad is None else weights_grad + second_grad
            if weights_grad is None:
                scores_grad = weights * level_grad
            else:
                along = xp.row_dots(weights_grad, weights)
                along = along if level_grad is None else along - level_grad
                scores_grad = (weights_grad - along) * weights
            q_grad = scores_grad @ k * self.scale if q_needed else None
            k_grad = scores_grad.mT @ (q * self.scale) if k_needed else None
        return q_grad, k_grad, v_grad, scores_grad if mask_needed else None

    def _scores(self, q: Any, k: Any, mask: Any) -> Any:
        """``s q kᵀ + m``, an array of its own."""
        xp = self.xp
        scores = xp.row_products(q * self.scale, k)
        if self.causal:
            queries, keys = scores.shape[-2:]
            seen = xp.arange(queries)[:, None] >= xp.arange(keys)
            scores += _added(xp, seen, scores.dtype)
        if mask is not None:
            scores = scores + (_added(xp, mask, scores.dtype) if _is_bool(xp, mask) else mask)
        return scores


def _peak(xp: Any, scores: Any) -> Any:
    """The largest score of each row: with it taken off, the largest exponential is ``e**0``.

    Zero where a row sees no key.
    """
    if 0 in scores.shape:
        return xp.zeros((*scores.shape[:-1], 1), dtype=scores.dtype)
    peak = xp.max(scores, axis=-1, keepdims=True)
    return xp.where(xp.isfinite(peak), peak, 0.0)


def _added(xp: Any, seen: Any, dtype: Any) -> Any:
    """Zero where a key is seen and minus infinity elsewhere: a sum is faster than a choice."""
    # One of the two is an array: the standard does not choose between numbers.
    return xp.where(seen, 0.0, xp.full(seen.shape, -math.inf, dtype=dtype))


def _is_bool(xp: Any, mask: Any) -> bool:
    return bool(mask.dtype == xp.bool)


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """``softmax(scale · q kᵀ + mask) v``: each query's mean of the values, weighted by its keys.

    Shapes: query ``(..., L, E)``, key ``(..., S, E)``, value ``(..., S, Ev)``; result
    ``(..., L, Ev)``. Leading dimensions broadcast.

    Args:
        query, key, value: floats of one type.
        attn_mask: broadcast to ``(..., L, S)``: booleans, true where a key is seen, or floats of
            the query's type, which are added to the scores. A query that sees no key gives zeros.
        dropout_p: the share of the weights that is zeroed, from 0 to 1, in evaluation too: a module
            gives 0 then.
        is_causal: query number i sees the keys 0 to i.
        scale: ``1 / sqrt(E)`` by default.
        enable_gqa: several queries share a key and a value: the third dimension from the end of the
            query is a multiple of that of key and value, which are repeated.

    Raises:
        ShapeError: an operand has fewer than two dimensions, or the shapes do not fit.
        DtypeError: the operands are not floats of one type, or the mask is of another type.
        ArgumentError: ``dropout_p`` is outside 0 to 1.

    Reference: Vaswani et al., "Attention is all you need", 2017, section 3.2.1; Ainslie et al.,
    "GQA", 2023 (shared keys).

    >>> import demograd as dg
    >>> q = k = dg.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> scaled_dot_product_attention(q, k, dg.tensor([[1.0], [3.0]]), is_causal=True)
    tensor([[1.0000],
            [2.3395]])
    """
    _check(query, key, value, attn_mask, enable_gqa)
    check_probability("scaled_dot_product_attention", dropout_p)
    if enable_gqa:
        key, value = (
            ops.repeat_interleave(x, query.shape[-3] // x.shape[-3], -3) for x in (key, value)
        )
    kept, keep_scale = None, 1.0
    if dropout_p > 0.0:
        leading = np.broadcast_shapes(query.shape[:-2], key.shape[:-2])
        shape = (*leading, query.shape[-2], key.shape[-2])
        refuse_traced("scaled_dot_product_attention", query)
        kept = dg.rand(shape, dtype=dg.float32, device="cpu").data >= dropout_p
        keep_scale = 1.0 / (1.0 - dropout_p) if dropout_p < 1.0 else 1.0
    out, _ = Attention.apply(
        query if kept is None else mapped_alike(query, kept),
        key,
        value,
        attn_mask,
        scale=1.0 / math.sqrt(query.shape[-1]) if scale is None else scale,
        causal=is_causal,
        kept=kept,
        keep_scale=keep_scale,
    )
    return cast(Tensor, out)


def _check(query: Any, key: Any, value: Any, mask: Any, shared: bool) -> None:
    operation = "scaled_dot_product_attention"
    operands = {"query": query, "key": key, "value": value}
    check_tensors(operation, operands | ({} if mask is None else {"attn_mask": mask}))
    check_one_dtype(operation, operands)
    facts = [f"{name}: shape {x.shape}" for name, x in operands.items()]
    if min(x.ndim for x in operands.values()) < (3 if shared else 2):
        raise ShapeError(
            f"{operation}: an operand has too few dimensions.",
            facts,
            "Expected (..., heads, length, features) with enable_gqa."
            if shared
            else "x.unsqueeze(0) makes a vector a sequence of one.",
        )
    if query.shape[-1] != key.shape[-1]:
        raise ShapeError(
            f"{operation}: queries and keys have different lengths, and no product.",
            facts,
            "The last dimension of query and key must be one.",
        )
    if key.shape[-2] != value.shape[-2]:
        raise ShapeError(
            f"{operation}: there is not one value for each key.",
            facts,
            "The second-to-last dimension of key and value must be one.",
        )
    if shared and any(x.shape[-3] == 0 or query.shape[-3] % x.shape[-3] for x in (key, value)):
        raise ShapeError(
            f"{operation}: the queries cannot be shared out among the keys.",
            facts,
            "The third dimension from the end of the query must be a multiple of the others'.",
        )
    leading = [query.shape[:-2], key.shape[:-2], value.shape[:-2]]
    if shared:
        leading = [query.shape[:-2], (*key.shape[:-3], 1), (*value.shape[:-3], 1)]
    try:
        wanted = (*np.broadcast_shapes(*leading), query.shape[-2], key.shape[-2])
    except ValueError as error:
        mend = "The dimensions before the last two must be equal, or 1."
        heads = {x.shape[-3] for x in (key, value) if x.ndim > 2}
        if query.ndim > 2 and all(n and query.shape[-3] % n == 0 for n in heads):
            mend += " enable_gqa=True shares a key among several queries."
        raise ShapeError(f"{operation}: the stacks do not broadcast.", facts, mend) from error
    if mask is None:
        return
    if kind_of(mask) != "b" and mask.dtype != query.dtype:
        raise DtypeError(
            f"{operation}: the mask has another type than the query.",
            [f"query: dtype {query.dtype}", f"attn_mask: dtype {mask.dtype}"],
            f"attn_mask.bool() says which keys are seen, attn_mask.to(dg.{query.dtype}) is added.",
        )
    try:
        fits = np.broadcast_shapes(mask.shape, wanted) == wanted
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(
            f"{operation}: the mask does not broadcast to the scores.",
            [*facts, f"attn_mask: shape {mask.shape}, expected {wanted}"],
            f"attn_mask of shape {wanted[-2:]} is one for the whole stack.",
        )
