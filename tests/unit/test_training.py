"""The parts of training that need torch: weights in, BatchNorm back, shipped files as torch networks, varied looks.

Left out where the extra `tune` is not installed, as on most machines.
"""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest

from detectors.backends.onnxruntime import OnnxRuntime
from detectors.catalog import Catalog

torch = pytest.importorskip("torch", reason="needs the extra `tune`")
pytest.importorskip("ultralytics", reason="needs the extra `tune`")
onnx = pytest.importorskip("onnx", reason="needs the extra `tune`")

ROOT = Path(__file__).resolve().parents[2]
DETECTORS = [card.name for card in Catalog(ROOT / "models").cards() if card.task == "detect"]


def _noise(count: int, side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def _tensor(batch: np.ndarray) -> object:
    rgb = np.ascontiguousarray(batch[..., ::-1].transpose(0, 3, 1, 2)).astype(np.float32) / 255
    return torch.from_numpy(rgb)


@pytest.mark.parametrize("name", DETECTORS)
def test_a_shipped_file_opened_as_a_torch_network_answers_the_same(name: str) -> None:
    from detectors.tuning.transfer import reopened

    card = Catalog(ROOT / "models").card(name)
    network = reopened(card.file, card.labels)
    noise = _noise(2, 96)
    with torch.no_grad():
        answer = network(_tensor(noise))[0].numpy()
    assert answer == pytest.approx(OnnxRuntime(card.file, threads=1).infer(noise), abs=2e-3)


def _in_32_bits(shipped: Path, target: Path) -> None:
    """A file as training exports it, out of one that ships."""
    from detectors.tuning.export import HALF

    model = onnx.load(str(shipped))
    graph, rng = model.graph, np.random.default_rng(0)
    for tensor in [t for t in graph.initializer if t.name.endswith(HALF)]:
        numbers = onnx.numpy_helper.to_array(tensor).astype(np.float32)
        numbers *= 1 + rng.uniform(-1e-4, 1e-4, numbers.shape).astype(np.float32)  # no 16-bit floats any more
        graph.initializer.append(onnx.numpy_helper.from_array(numbers, tensor.name.removesuffix(HALF)))
        graph.initializer.remove(tensor)
    rest = [node for node in graph.node if not node.input or not node.input[0].endswith(HALF)]
    del graph.node[:]
    graph.node.extend(rest)
    onnx.save(model, str(target))


def test_weights_stored_in_16_bits_say_the_same_in_half_the_space(tmp_path: Path) -> None:
    from detectors.backends.openvino import OpenVino
    from detectors.tuning.export import halve, tensors_of

    whole, small = tmp_path / "whole.onnx", tmp_path / "small.onnx"
    _in_32_bits(Catalog(ROOT / "models").card("street").file, whole)
    small.write_bytes(whole.read_bytes())
    halve(small)
    assert small.stat().st_size < 0.56 * whole.stat().st_size
    before, after = tensors_of(whole), tensors_of(small)
    assert before.keys() == after.keys()
    for tensor, numbers in before.items():
        assert after[tensor].dtype == numbers.dtype
        if numbers.dtype == np.float32:
            np.testing.assert_allclose(after[tensor], numbers, rtol=1 / 2048, atol=1e-7)
    noise = _noise(1, 96)
    for runtime in (OnnxRuntime, OpenVino):
        answers = [runtime(file, threads=1).infer(noise) for file in (whole, small)]
        np.testing.assert_allclose(answers[1][:, 4:], answers[0][:, 4:], atol=0.01)
    again = small.read_bytes()
    halve(small)
    assert small.read_bytes() == again


def test_a_network_with_a_cheaper_activation_comes_back_with_it(tmp_path: Path) -> None:
    from detectors.tuning.body import GridDetector, is_hard, put_hardswish
    from detectors.tuning.export import export_onnx
    from detectors.tuning.transfer import reopened, save

    torch.manual_seed(0)
    network = GridDetector(nc=2).eval()
    with torch.no_grad():
        for tensor in network.parameters():
            tensor += 0.01 * torch.randn_like(tensor)  # the export would store equal tensors once
    noise = _noise(1, 64)
    put_hardswish(network)
    save(network, ["garbage", "fire"], tmp_path / "start.pt", size_px=64)
    export_onnx(tmp_path / "start.pt", tmp_path / "hard.onnx", size_px=64)
    again = reopened(tmp_path / "hard.onnx", ["garbage", "fire"])
    with torch.no_grad():
        answer = again(_tensor(noise))[0].numpy()
    assert answer == pytest.approx(OnnxRuntime(tmp_path / "hard.onnx", threads=1).infer(noise), abs=2e-3)
    assert is_hard(again)


def test_a_hardened_network_says_nearly_what_it_said_before() -> None:
    from detectors.tuning.body import is_hard, put_hardswish
    from detectors.tuning.harden import hardened
    from detectors.tuning.transfer import reopened

    card = Catalog(ROOT / "models").card("vehicle")
    before = reopened(card.file, card.labels)
    before.names = dict(enumerate(card.labels))
    pictures = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (12, 3, 96, 96), dtype=np.uint8))
    after = hardened(before, pictures[:8], lambda line: None)
    assert is_hard(after)
    assert not is_hard(before)
    swapped = copy.deepcopy(before)
    put_hardswish(swapped)
    with torch.no_grad():
        said, fitted, plain = (n(pictures[8:].float() / 255)[0][:, :4] for n in (before, after.eval(), swapped))
    assert (fitted - said).abs().mean() < 0.5 * (plain - said).abs().mean()


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_between_two_networks(share: float) -> None:
    from detectors.tuning.body import GridDetector
    from detectors.tuning.transfer import folded, mean_of

    networks = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        networks.append(GridDetector(nc=2).eval())
    sample = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (4, 3, 64, 64), dtype=np.uint8))
    one, other = (folded(network).state_dict() for network in networks)
    made = mean_of(*networks, share, sample)
    assert any(isinstance(module, torch.nn.BatchNorm2d) for module in made.modules())
    for name, tensor in folded(made).state_dict().items():
        wanted = share * one[name] + (1 - share) * other[name]
        torch.testing.assert_close(tensor, wanted, rtol=1e-3, atol=1e-4)


def test_another_network_is_refused() -> None:
    from detectors.tuning.transfer import TransferError, reopened

    card = Catalog(ROOT / "models").card("street")
    with pytest.raises(TransferError, match=r"street\.onnx: model\.4\.cv3\.0\.weight: .*, wanted \(1, 128, 1, 1\)"):
        reopened(card.file, ["garbage"])


def test_batchnorm_put_back_changes_no_answer(shared_data: Path) -> None:
    from detectors.tuning.transfer import restore_batchnorm
    from detectors.tuning.yolov8 import V8Detector, is_quantized, load_quantized

    weights = shared_data / "weights" / "yolov8n_int8.onnx"
    assert is_quantized(weights)
    assert not is_quantized(shared_data / "weights" / "yolox_nano_416_coco80.onnx")
    detector = V8Detector().eval()
    load_quantized(detector, weights)
    sample = _noise(2, 96)
    with torch.no_grad():
        before = detector(_tensor(sample))[0].numpy().copy()
        restore_batchnorm(detector, torch.from_numpy(sample.transpose(0, 3, 1, 2).copy()))
        after = detector.eval()(_tensor(sample))[0].numpy()
    assert after[:, 4:] == pytest.approx(before[:, 4:], abs=1e-4)
    assert after[:, :4] == pytest.approx(before[:, :4], abs=0.05)
    norms = [m for m in detector.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert max(float(m.running_mean.abs().max()) for m in norms) > 0.1


def test_a_file_of_another_network_is_no_yolov8n(shared_data: Path) -> None:
    from detectors.tuning.yolov8 import QuantizedError, V8Detector, load_quantized

    with pytest.raises(QuantizedError, match=r"yolox_nano.*has no .*; wanted a dynamic 8-bit YOLOv8n"):
        load_quantized(V8Detector(), shared_data / "weights" / "yolox_nano_416_coco80.onnx")


def test_labels_start_as_the_mean_of_their_coco_classes() -> None:
    from detectors.tuning.transfer import with_labels
    from detectors.tuning.yolov8 import V8Detector

    coco = V8Detector()
    own = with_labels(coco, ["vehicle", "fire"], {"vehicle": [2, 5, 7]})
    start, layer = coco.class_layers[0], own.class_layers[0]
    assert layer.weight.shape[0] == 2
    assert torch.allclose(layer.weight[0], start.weight[[2, 5, 7]].mean(0))
    assert torch.equal(own.model[0].conv.weight, coco.model[0].conv.weight)
    assert own.model[-1].no == 2 + 64


def test_looks_vary_for_the_share_that_is_asked_for_and_stay_pictures() -> None:
    from detectors.tuning.looks import varied

    torch.manual_seed(0)
    pictures = torch.rand(40, 3, 32, 32)
    assert varied(pictures, 0.0) is pictures
    changed = varied(pictures, 0.5)
    share = float((changed != pictures).flatten(1).any(1).float().mean())
    assert 0.25 < share < 0.75
    assert float(changed.min()) >= 0
    assert float(changed.max()) <= 1
    assert changed.shape == pictures.shape


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, on its way to another exporter
@pytest.mark.parametrize(("through", "most_mb"), [("stage5", 2.7), ("stage4", 0.8)])
def test_a_classifier_says_the_same_as_onnx(tmp_path: Path, through: str, most_mb: float) -> None:
    from detectors.tuning.classifier import PictureNet, write_onnx
    from detectors.tuning.yolov8 import V8Detector

    torch.manual_seed(0)
    network = PictureNet(V8Detector(), 3, through).eval()
    file = tmp_path / "three.onnx"
    write_onnx(network, file, 64)
    noise = _noise(3, 64)
    with torch.no_grad():
        wanted = network(_tensor(noise)).numpy()
    shares = OnnxRuntime(file, threads=1).infer(noise)
    assert shares == pytest.approx(wanted, abs=1e-3)  # its weights are kept in 16 bit
    assert file.stat().st_size < most_mb * 1e6
    assert shares.sum(1) == pytest.approx(1.0, abs=1e-5)


def test_a_classifier_is_issued_again_in_half_the_space(tmp_path: Path) -> None:
    import cv2
    import yaml

    from detectors.tuning.issue import issue_classifier

    shipped, folder = Catalog(ROOT / "models").card("bins"), tmp_path / "bins"
    folder.mkdir()
    for name in ("card.yaml", "record.json"):
        (folder / name).write_text((shipped.file.parent / name).read_text(encoding="utf-8"), encoding="utf-8")
    _in_32_bits(shipped.file, folder / "bins.onnx")
    before = (folder / "bins.onnx").stat().st_size
    for number, picture in enumerate(_noise(6, 64)):
        path = tmp_path / "set" / "val" / ("clean", "dirty")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), picture)
    recipe = yaml.safe_load((ROOT / "configs" / "recipes" / "bins.yaml").read_text(encoding="utf-8"))
    recipe["data"] |= {"train": str(tmp_path / "set" / "val"), "val": str(tmp_path / "set" / "val")}
    recipe["start"]["weights"] = str(folder / "bins.onnx")
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    issue_classifier(tmp_path / "recipe.yaml", folder, half=True)
    assert (folder / "bins.onnx").stat().st_size < 0.56 * before
    made, record = Catalog(tmp_path).card("bins"), (folder / "record.json").read_text(encoding="utf-8")
    assert made.thresholds == shipped.thresholds
    assert made.to_wire()["sha256"] in record
    assert '"auc_stored_in_16_bits"' in record
