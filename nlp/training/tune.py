"""Teaches the encoder to tell lures from honest mail: `make tune`, some forty minutes of two cores.

Each matrix of the lower layers gets two thin ones beside it whose product is added to it (LoRA), so
what is learnt is some hundredths of the weights and ships as one file; added rows and norms are learnt as
they are. A small network over the mean of the pieces says which kind of mail it is, another one over that
of each sentence what it does.
`nlp.training.lessons` says which mails teach, and of which writers none does. `--further` goes on from
what ships, so that new mails need no whole course.

`make train` comes after, since it weighs anew. Sums on several threads are not the same to the last
bit, so neither is what is learnt.
Failure: ImportError without torch; ValueError if the service reads otherwise than was learnt. If other
labels have become frequent enough than those that ship, what is written fits the sentences only after
`make train`.
"""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nlp.components.model import NAME
from nlp.encoder.layers import LAYERS, Encoder
from nlp.encoder.weights import WIDTH, Floats, Weights, weights_file
from nlp.model.context import KINDS, TO_SEE, Blend, ContextModel, Head, Label, MailBlend
from nlp.model.fields import FieldTable
from nlp.training.corpus import read_corpus
from nlp.training.examples import examples
from nlp.training.lessons import Lesson, lessons, steps_of
from nlp.training.train import DATA, labels_of, train, whole_task

_RANK: Final = 16
_UNITS: Final = 256
_EPOCHS: Final = 3
_RATE: Final = 8e-4
_LEAST_RATE: Final = 0.02
_WARMING: Final = 0.06
_DROPPED: Final = 0.1
_PIECES_DROPPED: Final = 0.15
# In half precision, as it ships, a score is the same but for this.
_NEAR: Final = 0.1
_COMPARED: Final = 50
_LABELS_COUNT: Final = 0.5
_NEVER: Final = 1e9
_HIDDEN: Final = -1e4


class _Linear(nn.Module):  # type: ignore[misc]
    """Fixed weights, and the thin matrices beside them."""

    def __init__(self, matrix: Floats, added: Floats) -> None:
        super().__init__()
        self.register_buffer("matrix", torch.tensor(matrix))
        reads, gives = matrix.shape
        self.down = nn.Parameter(torch.randn(reads, _RANK) / reads**0.5)
        self.up = nn.Parameter(torch.zeros(_RANK, gives))
        self.b = nn.Parameter(torch.tensor(added))

    def forward(self, rows: Tensor) -> Tensor:
        # Their product once, rather than another two of every row.
        return functional.linear(rows, (self.matrix + self.down @ self.up).t(), self.b)


class _Norm(nn.Module):  # type: ignore[misc]
    def __init__(self, weights: Weights, name: str) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(weights.row(f"{name}.w").copy()))
        self.b = nn.Parameter(torch.tensor(weights.row(f"{name}.b").copy()))
        self._epsilon = weights.epsilon

    def forward(self, rows: Tensor) -> Tensor:
        return functional.layer_norm(rows, (WIDTH,), self.w, self.b, self._epsilon)


class _Layer(nn.Module):  # type: ignore[misc]
    """As `nlp.encoder.layers`, of several texts at once; parts are named as their changes are."""

    def __init__(self, weights: Weights, name: str) -> None:
        super().__init__()
        self._heads = weights.heads
        self.qkv = _linear(weights, WIDTH, f"{name}.q", f"{name}.k", f"{name}.v")
        self.ao = _linear(weights, WIDTH, f"{name}.ao")
        self.fi = _linear(weights, weights.inner, f"{name}.fi")
        self.fo = _linear(weights, WIDTH, f"{name}.fo")
        self.aln, self.oln = _Norm(weights, f"{name}.aln"), _Norm(weights, f"{name}.oln")

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        texts, count, width = rows.shape
        asked = self.qkv(rows).view(texts, count, 3, self._heads, width // self._heads)
        query, key, value = asked.permute(2, 0, 3, 1, 4)
        # The library's own attention takes three times as long to learn from on these processors.
        asking = query * (width // self._heads) ** -0.5 @ key.transpose(-1, -2)
        asking = asking.masked_fill(~mask[:, None, None, :], _HIDDEN)
        shares = torch.softmax(asking, -1, dtype=torch.float32).to(value.dtype)
        answered = (shares @ value).transpose(1, 2).reshape(texts, count, width)
        rows = self.aln(rows + _dropped(self.ao(answered), self.training))
        network = self.fo(functional.gelu(self.fi(rows), approximate="tanh"))
        return self.oln(rows + _dropped(network, self.training))


class _Head(nn.Module):  # type: ignore[misc]
    """As `nlp.model.context.Head`, of several points at once."""

    def __init__(self, answers: int) -> None:
        super().__init__()
        self._hidden, self._out = nn.Linear(WIDTH, _UNITS), nn.Linear(_UNITS, answers)

    def forward(self, points: Tensor) -> Tensor:
        units = functional.relu(self._hidden(_dropped(points, self.training)))
        answers: Tensor = self._out(_dropped(units, self.training))
        return answers

    def go_on_from(self, before: Head) -> None:
        """Take what was taught before."""
        for layer, weight, bias in (
            (self._hidden, before.hidden, before.hidden_bias),
            (self._out, before.out, before.out_bias),
        ):
            layer.weight.copy_(torch.tensor(weight.T))
            layer.bias.copy_(torch.tensor(bias))

    def taught(self) -> Head:
        """What was learnt, as the service reads it."""
        return Head(
            self._hidden.weight.detach().numpy().T, self._hidden.bias.detach().numpy(),
            self._out.weight.detach().numpy().T, self._out.bias.detach().numpy(),
        )  # fmt: skip


class Pupil(nn.Module):  # type: ignore[misc]
    """The layers and the heads while they learn."""

    def __init__(self, encoder: Encoder, weights: Weights, labels: Sequence[str]) -> None:
        super().__init__()
        self._encoder = encoder
        self._labels = tuple(labels)
        self.layers = nn.ModuleList([_Layer(weights, f"l{number}") for number in range(LAYERS)])
        self.kinds, self.labels = _Head(len(KINDS)), _Head(len(labels))

    def forward(self, lessons: Sequence[Lesson]) -> tuple[Tensor, Tensor]:
        """What each mail is like, a column for each kind; what each of all sentences does."""
        longest = max(len(one.pieces) for one in lessons)
        rows = np.zeros((len(lessons), longest, WIDTH), dtype=np.float32)
        whole, told = [], []
        for place, one in enumerate(lessons):
            rows[place, : len(one.pieces)] = self._encoder.embedded(one.pieces)
            start = place * longest
            whole.append(slice(start, start + len(one.pieces)))
            told += [slice(start + part.start, start + part.stop) for part in one.sentences]
        mask = torch.zeros(len(lessons) * longest, dtype=torch.bool)
        for stretch in whole:
            mask[stretch] = True
        if self.training:
            # A mail whose every piece is there, each time, would be learnt by heart.
            mask &= torch.rand(len(mask)) >= _PIECES_DROPPED
            mask[::longest] = True
        read = _dropped(torch.from_numpy(rows), self.training)
        for layer in self.layers:
            read = layer(read, mask.view(len(lessons), longest))
        means = _means(read.reshape(-1, WIDTH), [*whole, *told], mask)
        return self.kinds(means[: len(whole)]), self.labels(means[len(whole) :])

    def go_on_from(self, before: ContextModel) -> None:
        """Take what was taught before; what sentences do is learnt anew if it was of other labels."""
        with torch.no_grad():
            for name, part in self.layers.named_parameters():
                part.copy_(torch.tensor(before.changes[f"l{name}"]))
            self.kinds.go_on_from(before.kinds)
            if tuple(column.name for column in before.columns) == self._labels:
                self.labels.go_on_from(before.labels)

    def taught(self) -> ContextModel:
        """What was learnt, as the service reads it; nothing of it counts yet beside the words."""
        learnt = {name: part.detach().numpy() for name, part in self.layers.named_parameters()}
        return ContextModel(
            changes={f"l{name}": values for name, values in learnt.items()},
            kinds=self.kinds.taught(),
            labels=self.labels.taught(),
            blend=MailBlend(1.0, 0.0, (0.0,) * len(KINDS), 0.0),
            columns=tuple(
                Label(name, Blend(0.0, 1.0, 0.0), _NEVER, _NEVER) for name in self._labels
            ),
        )


def _means(rows: Tensor, stretches: Sequence[slice], mask: Tensor) -> Tensor:
    """Of what is there of stretches, as one product: to learn from each slice by itself takes far longer."""
    shares = torch.zeros(len(stretches), len(rows))
    for place, stretch in enumerate(stretches):
        shares[place, stretch] = mask[stretch].float()
    means: Tensor = (shares / shares.sum(1, keepdim=True).clamp(min=1)) @ rows
    return means


def loss_of(kinds: Tensor, truth: Tensor) -> Tensor:
    """Half of what the kind costs, and what it costs to take a lure or scam for honest or the reverse."""
    odds = torch.logsumexp(kinds[:, :TO_SEE], 1) - torch.logsumexp(kinds[:, TO_SEE:], 1)
    seen = functional.binary_cross_entropy_with_logits(odds, (truth < TO_SEE).float())
    loss: Tensor = seen + functional.cross_entropy(kinds, truth) / 2
    return loss


def loss_of_labels(labels: Tensor, step: Sequence[Lesson]) -> Tensor:
    """What it costs to hear a sentence wrongly, over all labels."""
    does = [one for lesson in step for one in lesson.labels]
    truth = torch.zeros(labels.shape)
    for place, those in enumerate(does):
        truth[place, those] = 1.0
    cost: Tensor = functional.binary_cross_entropy_with_logits(labels, truth, reduction="sum")
    return cost / max(1, len(does))


def teach(pupil: Pupil, learnt_from: Sequence[Lesson], chance: random.Random) -> None:
    """Some epochs, the rate rising a little and then falling."""
    schedule = [step for _ in range(_EPOCHS) for step in steps_of(learnt_from, chance)]
    learning = [part for part in pupil.parameters() if part.requires_grad]
    optimiser = torch.optim.AdamW(learning, lr=_RATE, weight_decay=0.01)
    pupil.train()
    for count, step in enumerate(schedule):
        done = count / len(schedule)
        rate = _RATE * min(1.0, (done + 1 / len(schedule)) / _WARMING) * max(_LEAST_RATE, 1 - done)
        optimiser.param_groups[0]["lr"] = rate
        # Half the digits take half the time; what is learnt keeps all of them.
        with torch.autocast("cpu", dtype=torch.bfloat16):
            kinds, labels = (answers.float() for answers in pupil(step))
        loss = loss_of(kinds, torch.tensor([one.kind for one in step]))
        loss = loss + _LABELS_COUNT * loss_of_labels(labels, step)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(learning, 1.0)
        optimiser.step()
        if count % 20 == 0:
            print(f"step {count} of {len(schedule)}: loss {loss.item():.3f}", flush=True)
    pupil.eval()


def _dropped(values: Tensor, is_learning: bool) -> Tensor:
    return functional.dropout(values, _DROPPED, is_learning)


def _linear(weights: Weights, rows: int, *parts: str) -> _Linear:
    return _Linear(*weights.side_by_side(rows, *parts))


def compare(pupil: Pupil, taught: ContextModel, learnt_from: Sequence[Lesson]) -> None:
    """Raise ValueError if the service would not read what was taught as it was learnt."""
    for one in learnt_from:
        with torch.no_grad():
            kinds, labels = (answers.numpy() for answers in pupil([one]))
        rows = taught.encoder.rows_of(one.pieces)
        read = taught.kinds.answers(rows.mean(axis=0))
        means = [rows[stretch].mean(axis=0) for stretch in one.sentences]
        heard = taught.labels.answers(np.array(means).reshape(-1, WIDTH))
        if max(np.abs(kinds[0] - read).max(), np.abs(labels - heard).max(initial=0.0)) > _NEAR:
            raise ValueError(f"learnt {kinds[0]}, read {read}: {one.pieces}")


def main() -> None:
    """Teach, and write what was learnt beside the rest of the model."""
    parser = argparse.ArgumentParser(prog="python -m nlp.training.tune")
    parser.add_argument("--further", action="store_true", help="go on from what ships")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    chance = random.Random(0)
    weights = Weights(weights_file())
    encoder = Encoder(weights)
    read = list(examples(read_corpus("train", "dev"), FieldTable.load(DATA / NAME)))
    _, by_words = train(whole_task(read))
    names = labels_of(read)
    learnt_from = lessons(read, by_words[:, 0], encoder, names, chance)
    pupil = Pupil(encoder, weights, names)
    if arguments.further:
        pupil.go_on_from(ContextModel.load(DATA / NAME))
    teach(pupil, learnt_from, chance)
    with TemporaryDirectory() as folder:  # what ships is replaced by what was compared only
        pupil.taught().save(Path(folder))
        taught = ContextModel.load(Path(folder))
    compare(pupil, taught, learnt_from[:: max(1, len(learnt_from) // _COMPARED)])
    (DATA / NAME).mkdir(parents=True, exist_ok=True)
    taught.save(DATA / NAME)
    print(f"wrote {DATA / NAME}")


if __name__ == "__main__":
    main()
