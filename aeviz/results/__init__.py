"""What a run's weights say of images, kept in `runs/<id>/results/`: codes, errors, maps, scores, roads, samples."""

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
)
from aeviz.results.directions import class_direction, direction
from aeviz.results.maps import Map, MapRequest, kept_map, kept_quality, map_job, project, quality
from aeviz.results.rebuild import Average, Rebuilt, average, decode_codes, rebuild
from aeviz.results.sample_score import kept_sample_score, sample_score, sample_score_job
from aeviz.results.samples import SampleRequest, Samples, samplers_of, samples
from aeviz.results.store import Split
from aeviz.results.sweeps import Axes, Grid, axes, manifold
from aeviz.results.walks import Walk, distance_to_data, roads_of, walk

__all__ = [
    "Average",
    "Axes",
    "Codes",
    "Grid",
    "Map",
    "MapRequest",
    "Rebuilt",
    "SampleRequest",
    "Samples",
    "Split",
    "Walk",
    "average",
    "axes",
    "class_direction",
    "codes",
    "dataset_of",
    "decode_codes",
    "direction",
    "distance_to_data",
    "encode_images",
    "errors",
    "kept_map",
    "kept_psnr",
    "kept_quality",
    "kept_sample_score",
    "known_codes",
    "manifold",
    "map_job",
    "model_of",
    "project",
    "quality",
    "rebuild",
    "roads_of",
    "same_data",
    "sample_score",
    "sample_score_job",
    "samplers_of",
    "samples",
    "score",
    "walk",
]
