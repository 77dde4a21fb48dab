"""The register of projections, in screen order."""

from aeviz.errors import UnknownName
from aeviz.latent.pca import PCA
from aeviz.latent.projection import Projection
from aeviz.latent.tsne import TSNE

PROJECTIONS: dict[str, type[Projection]] = {cls.name: cls for cls in (PCA, TSNE)}


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
