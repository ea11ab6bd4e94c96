"""The works on sequences: a GPT, and an LSTM cell in a loop."""

from typing import Any

import numpy as np
from measure import Step

LAYERS, HEADS, WIDTH, CONTEXT, WORDS, BATCH = 4, 4, 128, 64, 65, 16
STEPS, HIDDEN, ROWS = 32, 64, 16


def gpt(lib: Any) -> Any:
    """A GPT as nanoGPT has it: normalised before each part, with learnt places."""
    nn = lib.nn
    functional = nn.functional

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.norm1 = nn.LayerNorm(WIDTH)
            self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
            self.project = nn.Linear(WIDTH, WIDTH)
            self.norm2 = nn.LayerNorm(WIDTH)
            self.up = nn.Linear(WIDTH, 4 * WIDTH)
            self.down = nn.Linear(4 * WIDTH, WIDTH)

        def forward(self, x: Any) -> Any:
            rows, length, width = x.shape
            parts = self.qkv(self.norm1(x)).split(width, dim=2)
            q, k, v = [z.reshape(rows, length, HEADS, -1).transpose(1, 2) for z in parts]
            seen = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.project(seen.transpose(1, 2).reshape(rows, length, width))
            return x + self.down(functional.gelu(self.up(self.norm2(x))))

    class GPT(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(WORDS, WIDTH)
            self.places = nn.Embedding(CONTEXT, WIDTH)
            self.blocks = nn.Sequential(*[Block() for _ in range(LAYERS)])
            self.norm = nn.LayerNorm(WIDTH)
            self.head = nn.Linear(WIDTH, WORDS, bias=False)

        def forward(self, x: Any) -> Any:
            x = self.words(x) + self.places(lib.arange(x.shape[1]))
            return self.head(self.norm(self.blocks(x)))

    return GPT()


def gpt_step(lib: Any) -> Step:
    """A training step of a GPT of 4 layers, 4 heads, width 128, context 64, with AdamW."""
    model = gpt(lib)
    draw = np.random.default_rng(0)
    x = lib.tensor(draw.integers(0, WORDS, (BATCH, CONTEXT)))
    y = lib.tensor(draw.integers(0, WORDS, (BATCH, CONTEXT)))
    opt = lib.optim.AdamW(model.parameters(), lr=3e-4)

    def step() -> None:
        opt.zero_grad()
        out = model(x).reshape(-1, WORDS)
        lib.nn.functional.cross_entropy(out, y.reshape(-1)).backward()
        opt.step()

    return step


def lstm_step(lib: Any) -> Step:
    """A training step of an LSTM cell that takes 32 steps, width 64, batch 16, with Adam."""
    nn = lib.nn
    cell, head = nn.LSTMCell(HIDDEN, HIDDEN), nn.Linear(HIDDEN, 1)
    draw = np.random.default_rng(0)
    xs = lib.tensor(draw.standard_normal((STEPS, ROWS, HIDDEN)).astype(np.float32))
    y = lib.tensor(draw.standard_normal((ROWS, 1)).astype(np.float32))
    opt = lib.optim.Adam([*cell.parameters(), *head.parameters()], lr=1e-3)

    def step() -> None:
        opt.zero_grad()
        state = lib.zeros(ROWS, HIDDEN), lib.zeros(ROWS, HIDDEN)
        for i in range(STEPS):
            state = cell(xs[i], state)
        nn.functional.mse_loss(head(state[0]), y).backward()
        opt.step()

    return step
