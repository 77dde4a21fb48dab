"""What a run's weights say of images, kept in `runs/<id>/results/`: codes, errors, maps, colours, roads, samples."""

from aeviz.results.codes import (
    Codes,
    codes,
    dataset_of,
    encode_images,
    errors,
    kept_psnr,
    known_codes,
    model_of,
    same_data,
    score,
    told_of,
)
from aeviz.results.colours import COLOURS, Coloured, ColourInfo, colour, colour_job, colours_of, kept_colour
from aeviz.results.directions import class_direction, direction
from aeviz.results.frames import Frame, FrameFile
from aeviz.results.groups import ClassMeans, Selected, class_means, selection
from aeviz.results.maps import (
    Map,
    MapRequest,
    drop_map,
    go_on,
    kept_map,
    kept_quality,
    map_frame,
    map_job,
    map_time,
    project,
    quality,
    quality_job,
)
from aeviz.results.near import Near, near
from aeviz.results.placing import Placed, place
from aeviz.results.rebuild import Average, Rebuilt, average, decode_codes, rebuild
from aeviz.results.sample_score import kept_sample_score, sample_score, sample_score_job
from aeviz.results.samples import SampleRequest, Samples, samplers_of, samples
from aeviz.results.store import Split
from aeviz.results.sweeps import Axes, Grid, axes, manifold
from aeviz.results.walks import Walk, distance_to_data, roads_of, walk

__all__ = [
    "COLOURS",
    "Average",
    "Axes",
    "ClassMeans",
    "Codes",
    "ColourInfo",
    "Coloured",
    "Frame",
    "FrameFile",
    "Grid",
    "Map",
    "MapRequest",
    "Near",
    "Placed",
    "Rebuilt",
    "SampleRequest",
    "Samples",
    "Selected",
    "Split",
    "Walk",
    "average",
    "axes",
    "class_direction",
    "class_means",
    "codes",
    "colour",
    "colour_job",
    "colours_of",
    "dataset_of",
    "decode_codes",
    "direction",
    "distance_to_data",
    "drop_map",
    "encode_images",
    "errors",
    "go_on",
    "kept_colour",
    "kept_map",
    "kept_psnr",
    "kept_quality",
    "kept_sample_score",
    "known_codes",
    "manifold",
    "map_frame",
    "map_job",
    "map_time",
    "model_of",
    "near",
    "place",
    "project",
    "quality",
    "quality_job",
    "rebuild",
    "roads_of",
    "same_data",
    "sample_score",
    "sample_score_job",
    "samplers_of",
    "samples",
    "score",
    "selection",
    "told_of",
    "walk",
]
