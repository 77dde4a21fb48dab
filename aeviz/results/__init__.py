"""What a run's weights say of images, kept in `runs/<id>/results/`: codes, errors, maps, colours, scores."""

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
from aeviz.results.colours import COLOURS, Coloured, ColourInfo, colour, colour_job, colours_of, kept_colour
from aeviz.results.groups import ClassMeans, Selected, class_means, selection
from aeviz.results.maps import Map, MapRequest, kept_map, kept_quality, map_job, project, quality
from aeviz.results.near import Near, near
from aeviz.results.rebuild import Rebuilt, decode_codes, rebuild
from aeviz.results.store import Split

__all__ = [
    "COLOURS",
    "ClassMeans",
    "Codes",
    "ColourInfo",
    "Coloured",
    "Map",
    "MapRequest",
    "Near",
    "Rebuilt",
    "Selected",
    "Split",
    "class_means",
    "codes",
    "colour",
    "colour_job",
    "colours_of",
    "dataset_of",
    "decode_codes",
    "encode_images",
    "errors",
    "kept_colour",
    "kept_map",
    "kept_psnr",
    "kept_quality",
    "map_job",
    "model_of",
    "near",
    "project",
    "quality",
    "rebuild",
    "same_data",
    "score",
    "selection",
]
