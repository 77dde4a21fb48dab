"""The register of projections, in screen order."""

from aeviz.errors import UnknownName
from aeviz.latent.axes import Axes
from aeviz.latent.lda import LDA
from aeviz.latent.own_axes import Directions
from aeviz.latent.pca import PCA
from aeviz.latent.projection import Projection
from aeviz.latent.tsne import TSNE
from aeviz.latent.umap import UMAP

PROJECTIONS: dict[str, type[Projection]] = {cls.name: cls for cls in (PCA, TSNE, UMAP, Axes, LDA, Directions)}


def projection(name: str) -> type[Projection]:
    """The projection of this name.

    Raises:
        UnknownName: there is none.
    """
    if name not in PROJECTIONS:
        raise UnknownName(
            "no projection is called {name!r}; there are: {known}", name=name, known=", ".join(PROJECTIONS)
        )
    return PROJECTIONS[name]
