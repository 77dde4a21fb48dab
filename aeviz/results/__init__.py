"""What a run's weights say of images, kept in `runs/<id>/results/`: codes, errors, maps, scores, rebuilt pictures."""

from aeviz.results.codes import (
    Codes,
    codes,
    dataset_of,
    encode_images,
    errors,
    kept_psnr,
    model_of,
    same_data,
    score,
)
from aeviz.results.frames import Frame, FrameFile
from aeviz.results.maps import (
    Map,
    MapRequest,
    go_on,
    kept_map,
    kept_quality,
    map_frame,
    map_job,
    project,
    quality,
)
from aeviz.results.placing import Placed, place
from aeviz.results.rebuild import Rebuilt, decode_codes, rebuild
from aeviz.results.store import Split

__all__ = [
    "Codes",
    "Frame",
    "FrameFile",
    "Map",
    "MapRequest",
    "Placed",
    "Rebuilt",
    "Split",
    "codes",
    "dataset_of",
    "decode_codes",
    "encode_images",
    "errors",
    "go_on",
    "kept_map",
    "kept_psnr",
    "kept_quality",
    "map_frame",
    "map_job",
    "model_of",
    "place",
    "project",
    "quality",
    "rebuild",
    "same_data",
    "score",
]
