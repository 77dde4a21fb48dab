"""In real Chromium: a packed decoder gives the pictures that torch gives."""

import base64
from pathlib import Path

import pytest
import torch
from torch import nn

from aeviz.export.page.decoder import pack_decoder
from aeviz.models import BODIES, LOSSES, VARIANTS, build, model_config
from aeviz.models.bodies.blocks import ACTIVATIONS

pytestmark = pytest.mark.browser
SCRIPT = Path(__file__).resolve().parents[2] / "static" / "codes" / "decoder.js"
CODES, LATENT_DIM, CLASSES = 5, 5, 3
LABELS = [0, 1, 2, -1, 7]  # the last two are no classes
AT_MOST, AT_MOST_HALVED = 1e-5, 2e-3
NORMS = ("none", "batch", "layer", "group")


def case(loss="mse", half=False, shares=False, **settings):
    classes = {"n_classes": CLASSES} if settings.get("variant") == "cvae" else {}
    usual = {"variant": "autoencoder", "sample_shape": (1, 8, 8), "latent_dim": LATENT_DIM, "init": "he"}
    return {"settings": usual | classes | settings, "loss": loss, "half": half, "shares": shares}


def custom(*layers, **shared):
    return {"name": "custom", "layers": layers, **shared}


def conv(size, **settings):
    return {"kind": "conv", "size": size, **settings}


def pooled(stride):
    return custom(conv(16, stride=1), {"kind": "pool", "stride": stride}, norm="group")


SMALL = {
    "dense": {"name": "dense", "widths": (13, 7)},
    "conv": {"name": "conv", "channels": (5, 6)},
    "residual": {"name": "residual", "channels": (5, 6)},
    "custom": custom(
        conv(5, stride=1), {"kind": "pool"}, {"kind": "residual", "size": 5, "stride": 1},
        {"kind": "residual", "size": 6, "kernel": 5}, {"kind": "dense", "size": 9},
    ),
}  # fmt: skip
WINDOWS = [(1, 1), (1, 2), (2, 1), (2, 3), (3, 1), (3, 3), (4, 2), (5, 4), (7, 3)]  # side and stride
CASES = {
    **{f"{v} {b}": case(variant=v, body=SMALL[b], sample_shape=(3, 9, 14)) for v in VARIANTS for b in BODIES},
    **{f"{b} 28": case(body=SMALL[b], sample_shape=(1, 28, 28)) for b in BODIES},
    **{f"{b} {n} norm": case(body={**SMALL[b], "norm": n, "dropout": 0.2}) for b in BODIES for n in NORMS},
    **{f"{b} {a}": case(body={**SMALL[b], "activation": a}) for b in ("dense", "residual") for a in ACTIVATIONS},
    **{f"{b} {x}": case(loss=x, body=SMALL[b], sample_shape=(3, 8, 11)) for b in BODIES for x in LOSSES},
    **{f"{b} tied": case(body=SMALL[b], tied=True, sample_shape=(3, 9, 14)) for b in BODIES},
    **{f"window {k}, stride {s}": case(body=custom(conv(3, kernel=k, stride=s))) for k, s in WINDOWS},
    **{f"pool {s}": case(body=pooled(s), sample_shape=(1, 13, 29)) for s in (2, 3, 4)},
    "shares of classes": case(variant="cvae", body=SMALL["dense"], shares=True),
    "no layers": case(body=custom()),
    "a list of numbers": case(body=SMALL["dense"], sample_shape=(11,)),
    "a list of numbers by level": case(body=SMALL["dense"], sample_shape=(11,), loss="categorical"),
    **{f"{b} halved": case(body=SMALL[b], sample_shape=(3, 9, 14), half=True) for b in BODIES},
}  # fmt: skip
COMPARE = """(cases) => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
  const difference = ({ packed, codes, labels, wanted }) => {
    const decoder = readDecoder(bytes(packed).buffer)
    const z = new Float32Array(bytes(codes).buffer), right = new Float32Array(bytes(wanted).buffer)
    const dim = z.length / labels.length
    const samples = labels.map((label, i) => [...decoder.decode(z.slice(i * dim, (i + 1) * dim), label)])
    if (samples.flat().length !== right.length) return `${samples.flat().length} values, not ${right.length}`
    return samples.flat().reduce((most, value, i) => Math.max(most, Math.abs(value - right[i])), 0)
  }
  return cases.map(difference)
}"""


def lived_in(model):
    """The model with what training changes in it: statistics and norms no longer as they begin."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.running_mean.normal_(std=0.5)
            module.running_var.uniform_(0.3, 2.0)
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.GroupNorm):
            module.weight.data.normal_(1.0, 0.3)
        if getattr(module, "bias", None) is not None:
            module.bias.data.normal_(std=0.3)
    return model.eval()


def text(tensor):
    return base64.b64encode(tensor.contiguous().numpy().tobytes()).decode()


@torch.no_grad()
def asked(settings, loss, half, shares):
    torch.manual_seed(0)
    model = lived_in(build(model_config(settings), loss))
    codes = 2.0 * torch.randn(CODES, LATENT_DIM)
    told = torch.rand(CODES, CLASSES + 1).softmax(1) if shares else torch.tensor(LABELS)
    wanted = model.decode(codes, told)
    assert wanted.std(0).mean() > 0.01, "every code gives the same picture"
    packed = base64.b64encode(pack_decoder(model, half)).decode()
    return {"packed": packed, "codes": text(codes), "labels": told.tolist(), "wanted": text(wanted)}


@pytest.fixture(scope="module")
def differences(chromium):
    """The largest difference of any number from torch's, by case; all in one page."""
    context = chromium.new_context()
    page = context.new_page()
    page.add_script_tag(path=SCRIPT)
    found = page.evaluate(COMPARE, [asked(**each) for each in CASES.values()])
    context.close()
    return dict(zip(CASES, found, strict=True))


@pytest.mark.parametrize("name", CASES)
def test_the_browser_decodes_as_torch_does(name, differences):
    assert differences[name] < (AT_MOST_HALVED if CASES[name]["half"] else AT_MOST)


@pytest.fixture
def script(page):
    """A page that has only the script."""
    page.add_script_tag(path=SCRIPT)
    page.evaluate("packed => { window.decoder = readDecoder(Uint8Array.from(atob(packed), (x) => x.charCodeAt(0))) }",
                  asked(**case(body=SMALL["conv"]))["packed"])  # fmt: skip
    return page


def test_every_picture_is_written_into_the_same_array(script):
    same = script.evaluate(
        "() => [0, 1].map((x) => decoder.decode(new Float32Array(5).fill(x))).reduce((a, b) => a === b)"
    )
    assert same
    assert script.evaluate("() => decoder.shape") == [1, 8, 8]


def test_a_code_of_another_length_is_refused(script):
    heard = script.evaluate("() => { try { decoder.decode(new Float32Array(4)) } catch (error) { return `${error}` } }")
    assert heard == "RangeError: a code of 4 numbers; it has 5"


PAINT = """([values, shape]) => {
  const context = Object.assign(document.createElement("canvas"), { width: 4, height: 2 }).getContext("2d")
  paintSample(context, Float32Array.from(values, () => 1), shape)
  paintSample(context, values, shape)
  const { data } = context.getImageData(0, 0, 4, 2)
  return Array.from({ length: 8 }, (_, pixel) => [...data.slice(4 * pixel, 4 * pixel + 4)])
}"""


@pytest.mark.parametrize(
    ("values", "left", "right"),
    [
        ([0.2, 1.0], [51, 51, 51, 255], [255, 255, 255, 255]),
        ([0.2, 1.0, 0.4, 0.0, 0.6, 0.8], [51, 102, 153, 255], [255, 0, 204, 255]),
        ([1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0], [255, 0, 255, 255], [0, 0, 0, 0]),
    ],
    ids=["grey", "colour", "opacity"],
)
def test_a_sample_fills_the_canvas_with_hard_pixels(script, values, left, right):
    pixels = script.evaluate(PAINT, [values, [len(values) // 2, 1, 2]])
    assert pixels == [left, left, right, right] * 2
