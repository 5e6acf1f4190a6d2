# SPDX-License-Identifier: Apache-2.0
"""The article's text classifier in PyTorch, with the parameter names that attn_cuda.convert expects."""

from __future__ import annotations

import torch
from torch import nn


class AttentionPooling(nn.Module):
    """Attention pooling, e = tanh(x . w + b), softmax over T, weighted sum: x [B, T, D], w [D], b [T] to [B, D]."""

    def __init__(self, T: int, D: int) -> None:
        super().__init__()
        self.w = nn.Parameter(0.05 * torch.randn(D))
        self.b = nn.Parameter(torch.zeros(T))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        alpha = torch.softmax(torch.tanh(x @ self.w + self.b), dim=1)
        return (alpha.unsqueeze(-1) * x).sum(1)


class Classifier(nn.Module):
    """Maps ids [B, T] to logits [B]."""

    def __init__(self, vocabulary: int, length: int, embedding: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding)
        nn.init.uniform_(self.embedding.weight, -0.05, 0.05)
        self.lstm = nn.LSTM(embedding, hidden, batch_first=True, bidirectional=True)
        self.attention = AttentionPooling(length, 2 * hidden)
        self.dense = nn.Linear(2 * hidden, 1)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        y, _ = self.lstm(self.embedding(ids))
        return self.dense(self.attention(y)).squeeze(-1)


def optimiser(model: nn.Module) -> torch.optim.Adam:
    return torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-7)
