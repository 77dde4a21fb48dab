"""Data sets: the registry, your own images, and figures made of images."""

from aeviz.data.catalog import DATASETS, delete, download, import_data, info, list_data, load, set_label
from aeviz.data.dataset import ArrayLike, DataInfo, Dataset, Source
from aeviz.data.folders import data_root, data_roots
from aeviz.data.importing.fitting import Border, Fitting, border_of, proposed_invert
from aeviz.data.importing.imports import ImportReport, ImportSettings
from aeviz.data.importing.reading import Preview, read_fitted, read_image, read_preview
from aeviz.data.pictures import (
    encode_mosaic,
    encode_png,
    encode_webp,
    error_map,
    mosaic,
    originals_over_reconstructions,
    to_pixels,
    to_unit,
)
from aeviz.data.sources.own import skipped_files

__all__ = [
    "DATASETS",
    "ArrayLike",
    "Border",
    "DataInfo",
    "Dataset",
    "Fitting",
    "ImportReport",
    "ImportSettings",
    "Preview",
    "Source",
    "border_of",
    "data_root",
    "data_roots",
    "delete",
    "download",
    "encode_mosaic",
    "encode_png",
    "encode_webp",
    "error_map",
    "import_data",
    "info",
    "list_data",
    "load",
    "mosaic",
    "originals_over_reconstructions",
    "proposed_invert",
    "read_fitted",
    "read_image",
    "read_preview",
    "set_label",
    "skipped_files",
    "to_pixels",
    "to_unit",
]
