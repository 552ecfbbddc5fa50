"""Can baits be told from real rows? A small classifier tries, and names what gave them away.

Logistic regression on lengths, prefixes, digit frequencies, lanes, name characters, goods and
weight, judged on rows it was not trained on. An AUC of 0.5 means it cannot tell, 1 that it always
can. Phones are left out: a bait's phone is the operator's own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from seeds.draws import Draws, RandomSource
from seeds.errors import BadPlan
from seeds.waybills import Waybill

_LEAST = 100
_FOLDS = 4
_BUCKETS = 61
_STEPS = 25
_PENALTY = 3.0
_Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]
_Vector = np.ndarray[tuple[int], np.dtype[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disguise:
    """How well baits pass: the classifier's AUC, and each feature's own, most telling first."""

    auc: float
    features: tuple[tuple[str, float], ...]

    @property
    def telling(self) -> str:
        """The feature that alone tells baits best."""
        return self.features[0][0]


def check_disguise(
    baits: Sequence[Waybill], real: Sequence[Waybill], random: RandomSource
) -> Disguise:
    """Compare baits with real rows. Raises BadPlan with fewer than 100 of either.

    What the real rows say nothing of is left out.
    """
    if min(len(baits), len(real)) < _LEAST:
        raise BadPlan(
            f"{len(baits)} baits and {len(real)} real rows are too few to compare",
            mend=f"give at least {_LEAST} of each",
        )
    rows = [*baits, *real]
    truth = np.repeat([1.0, 0.0], [len(baits), len(real)])
    order = np.array(Draws(random).shuffled(range(len(rows))))
    blocks = {
        name: _encode(rows, read)
        for name, read in _FEATURES.items()
        if any(_SAYS.get(name, bool)(row) for row in real)
    }
    alone = {name: _judge(block, truth, order) for name, block in blocks.items()}
    return Disguise(
        auc=_judge(np.hstack(list(blocks.values())), truth, order),
        features=tuple(sorted(alone.items(), key=lambda item: -item[1])),
    )


def measure_auc(scores: Sequence[float], truth: Sequence[float]) -> float:
    """Return the chance that a true row scores above a false one, ties counting half."""
    values, labels = np.asarray(scores, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    positives = labels.sum()
    negatives = len(labels) - positives
    above = ranks[labels == 1].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def _read_digits(waybill: Waybill) -> list[str]:
    return [f"digit {digit}" for digit in waybill.number if digit.isdigit()]


def _read_detail(waybill: Waybill) -> list[str]:
    digits = sum(char.isdigit() for char in waybill.detail)
    return [f"long {len(waybill.detail)}", f"digits {digits}", f"ends {waybill.detail[-1:]}"]


def _read_weight(waybill: Waybill) -> list[str]:
    return [f"about {waybill.weight_g // 200}", f"rest {waybill.weight_g % 100}"]


_FEATURES: Mapping[str, Callable[[Waybill], list[str]]] = {
    "carrier": lambda w: [w.carrier],
    "number prefix": lambda w: [w.number[:3], w.number[:5], str(len(w.number))],
    "number digits": _read_digits,
    "surname": lambda w: [w.name[:1]],
    "given name": lambda w: list(w.name[1:]),
    "name length": lambda w: [str(len(w.name))],
    "lane": lambda w: [f"from {w.origin[:4]}", f"to {w.destination[:4]}"],
    "address form": _read_detail,
    "goods": lambda w: [w.goods],
    "weight": _read_weight,
    "sender": lambda w: [w.sender_name[-2:], str(len(w.sender_name))],
    "hour": lambda w: [str(w.minute // 60)],
}


_SAYS: Mapping[str, Callable[[Waybill], object]] = {
    "lane": lambda w: w.origin or w.destination,
    "goods": lambda w: w.goods,
    "weight": lambda w: w.weight_g,
    "sender": lambda w: w.sender_name,
    "hour": lambda w: w.minute,
}


def _encode(rows: Sequence[Waybill], read: Callable[[Waybill], list[str]]) -> _Matrix:
    """Count each row's words in hashed columns, scaled to the same spread."""
    counts = np.zeros((len(rows), _BUCKETS))
    for i, row in enumerate(rows):
        for word in read(row):
            counts[i, crc32(word.encode("utf-8", "replace")) % _BUCKETS] += 1
    counts -= counts.mean(axis=0)
    spread = counts.std(axis=0)
    kept: _Matrix = counts[:, spread > 0] / spread[spread > 0]
    return kept


def _judge(
    block: _Matrix, truth: _Vector, order: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> float:
    """Return the AUC over rows held out in turn; 0.5 when nothing varies."""
    if block.shape[1] == 0:
        return 0.5
    scores = np.zeros(len(truth))
    for fold in range(_FOLDS):
        held = order[fold::_FOLDS]
        rest = np.setdiff1d(order, held)
        scores[held] = block[held] @ _fit(block[rest], truth[rest])
    return measure_auc(scores.tolist(), truth.tolist())


def _fit(block: _Matrix, truth: _Vector) -> _Vector:
    """Fit logistic weights with a ridge, by Newton steps under a bound on the curvature.

    The bound (a quarter of the Gram matrix, Boehning and Lindsay 1988) is inverted once.
    """
    share = truth.mean()
    bias = np.log(share / (1 - share))
    bound = 0.25 * block.T @ block + _PENALTY * np.eye(block.shape[1])
    inverse = np.linalg.inv(bound)
    weights = np.zeros(block.shape[1])
    for _ in range(_STEPS):
        guess = 1 / (1 + np.exp(-np.clip(block @ weights + bias, -30, 30)))
        weights = weights - inverse @ (block.T @ (guess - truth) + _PENALTY * weights)
    fitted: _Vector = weights
    return fitted
