"""The data, the models and how they are measured: scikit-learn's bundled 8 × 8 digits."""

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from rich.text import Text
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from threadpoolctl import threadpool_limits

import assay

SEED = 7
FORGOTTEN_CLASS = 8
LATENCY_SAMPLES = 300
SHADES = " ░▒▓█"

Slices = dict[str, dict[str, tuple[int, dict[str, assay.Measured]]]]


@dataclass(frozen=True)
class Digits:
    """Images as rows of 64 grey values, and which digit each shows."""

    train_images: Any
    train_labels: Any
    test_images: Any
    test_labels: Any

    def without(self, label: int) -> "Digits":
        """The same, but the training data lacks one class."""
        kept = self.train_labels != label
        return Digits(
            self.train_images[kept], self.train_labels[kept], self.test_images, self.test_labels
        )


@dataclass(frozen=True)
class Measured:
    """What the evaluator found on the test data."""

    accuracy: float
    accuracy_of_class: dict[str, tuple[int, float]]
    latency_p50_ms: float
    latency_p99_ms: float
    sample_count: int

    @property
    def slices(self) -> Slices:
        """As ``evaluate`` takes them."""
        return {
            "class": {
                label: (count, {"accuracy": assay.higher(accuracy, "ratio")})
                for label, (count, accuracy) in self.accuracy_of_class.items()
            }
        }


def load() -> Digits:
    """Read the bundled data; 30 % are kept for measuring, as many of each class."""
    images, labels = load_digits(return_X_y=True)
    parts = train_test_split(images, labels, test_size=0.3, random_state=SEED, stratify=labels)
    train_images, test_images, train_labels, test_labels = parts
    return Digits(train_images, train_labels, test_images, test_labels)


def train_linear(digits: Digits) -> Any:
    """A linear classifier: small, fast, good."""
    model = make_pipeline(MinMaxScaler(), LogisticRegression(max_iter=2000))
    with one_thread():
        return model.fit(digits.train_images, digits.train_labels)


def train_neighbours(digits: Digits) -> Any:
    """A classifier that looks up the most similar images: larger, better."""
    return KNeighborsClassifier(n_neighbors=3).fit(digits.train_images, digits.train_labels)


def open_model(directory: Path) -> Any:
    """Load a pulled model. Joblib runs what is in the file: only for authors one trusts."""
    return joblib.load(directory / "model.joblib")


def measure(model: Any, digits: Digits) -> Measured:
    """Accuracy over all and by class, and how long one prediction takes."""
    right = model.predict(digits.test_images) == digits.test_labels
    classes = {}
    for label in np.unique(digits.test_labels):
        of_class = right[digits.test_labels == label]
        classes[str(label)] = (len(of_class), float(of_class.mean()))
    took_ms = latencies_ms(model, digits.test_images[:LATENCY_SAMPLES])
    return Measured(
        accuracy=float(right.mean()),
        accuracy_of_class=classes,
        latency_p50_ms=float(np.percentile(took_ms, 50)),
        latency_p99_ms=float(np.percentile(took_ms, 99)),
        sample_count=len(right),
    )


def latencies_ms(model: Any, images: Any) -> list[float]:
    """Time for one image at a time, as a service would ask; the first ones warm up."""
    took = []
    with one_thread():
        for image in images:
            began = time.perf_counter()
            model.predict(image[None])
            took.append((time.perf_counter() - began) * 1000)
    return took[10:]


def one_thread() -> AbstractContextManager[object]:
    """So little data needs no threads, and on a busy machine they wait for each other."""
    return threadpool_limits(1)


def picture(image: Any) -> Text:
    """An image in characters, two cells wide since cells are tall."""
    rows = image.reshape(8, 8)
    brightest = len(SHADES) - 1
    lines = ("".join(SHADES[round(p / 16 * brightest)] * 2 for p in row) for row in rows)
    return Text("\n".join(lines))
