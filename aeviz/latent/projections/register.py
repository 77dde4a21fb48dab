"""Registry of projections, in display order."""

from aeviz.errors import UnknownName
from aeviz.latent.projections.base import Projection
from aeviz.latent.projections.dimensions import Axes
from aeviz.latent.projections.lda import LDA
from aeviz.latent.projections.own_axes import Directions
from aeviz.latent.projections.pca import PCA
from aeviz.latent.projections.tsne.tsne import TSNE
from aeviz.latent.projections.umap import UMAP

PROJECTIONS: dict[str, type[Projection]] = {cls.name: cls for cls in (PCA, TSNE, UMAP, Axes, LDA, Directions)}


def projection(name: str) -> type[Projection]:
    """Look up a projection by name.

    Raises:
        UnknownName: no such projection.
    """
    if name not in PROJECTIONS:
        raise UnknownName(
            "no projection is called {name!r}; there are: {known}", name=name, known=", ".join(PROJECTIONS)
        )
    return PROJECTIONS[name]
