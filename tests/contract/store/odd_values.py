"""Values that a store could get wrong: odd text, the widest numbers, every kind of fact."""

from assay_server.domain.facts import (
    DatasetReference,
    Facts,
    FeatureSetReference,
    Format,
    Lineage,
    Runtime,
    Signature,
    TensorSpec,
)
from assay_server.domain.gates import (
    Finding,
    Verdict,
)
from assay_server.domain.manifest import File, Manifest

ODD_TEXT = 'naïve 日本 🎉 "quoted" it\'s\\ \t\n$1 ? %s :name \x7f\u2028'
ODD_MAP = {"a.b-c_1": ODD_TEXT, "empty": ""}
FILES = (File("a.bin", 0, "0" * 64), File("b/ü.json", 2**53 - 1, "1" * 64, "text/x", "weights"))
MANIFEST = Manifest(FILES, "sha256:" + "2" * 64)
FACTS = Facts(
    signature=Signature(
        (TensorSpec("x", "float32", (-1, 64)),), (TensorSpec("y", "int64", is_optional=True),)
    ),
    runtime=Runtime("python", "3.11", {"scikit-learn": "1.7"}, "cpu"),
    format=Format("joblib", "1.5", "sklearn", "1.7"),
    hyperparameters={"C": ODD_TEXT},
    lineage=Lineage(
        git_commit="abc",
        git_is_dirty=True,
        datasets=(DatasetReference("s3://x", "sha256:1"),),
        feature_sets=(FeatureSetReference("feast", "digits"),),
    ),
)
VERDICT = Verdict("publish", 7, False, (Finding("g", "r", False, "0.1", "0.2", ODD_TEXT),), ("e",))
