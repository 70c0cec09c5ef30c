#!/usr/bin/env python3
"""Writes pytorch_metadata.txt to stdout: metadata that PyTorch makes of seeded random 2:4 matrices. Needs torch 2.1 or later."""
import random

import torch
from torch.sparse._semi_structured_conversions import sparse_semi_structured_from_dense_cutlass as from_dense

print(f"# torch {torch.__version__} (CPU): the meta tensor of sparse_semi_structured_from_dense_cutlass, written by pytorch_metadata.py.")
print("# matrix TYPE M K, then a line a row: non-zero columns (column 4d + i is bit i of hex digit d), the row of meta in hex.")
draw = random.Random(24)
for name, dtype, rows, columns in [("f16", torch.half, 64, 128), ("bf16", torch.bfloat16, 96, 64), ("tf32", torch.float, 64, 64),
                                   ("s8", torch.int8, 48, 256)]:
    group, kept = (2, 1) if dtype == torch.float else (4, 2)
    dense = torch.zeros(rows, columns, dtype=dtype)
    for row in range(rows):
        for first in range(0, columns, group):
            for column in draw.sample(range(group), kept):
                dense[row, first + column] = draw.choice([-2, -1, 1, 2])
    _, meta = from_dense(dense)
    bits = 8 * meta.dtype.itemsize
    print("matrix", name, rows, columns)
    for row in range(rows):
        digits = [sum(int(dense[row, 4 * d + i] != 0) << i for i in range(4)) for d in range(columns // 4)]
        words = [f"{int(word) & (1 << bits) - 1:0{bits // 4}x}" for word in meta[row]]
        print("".join(f"{d:x}" for d in digits), *words)
