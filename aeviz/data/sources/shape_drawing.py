"""Drawing the synthetic shapes: anti-aliased signed distance functions over a batch.

The distance functions are those of Inigo Quilez, https://iquilezles.org/articles/distfunctions2d/. Each takes
coordinates u (right) and v (up), both (B, H, W), and the radius (B, 1, 1) of the disc of equal area, all in pixels.
"""

from collections.abc import Callable

import numpy as np

Distance = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]

SQUARE = np.float32(np.sqrt(np.pi) / 2)  # half a side, for radius 1
ELONGATION = np.float32(1.4)
TRIANGLE = np.float32(np.sqrt(np.pi / np.sqrt(3)))  # half a side
HEART = np.float32(np.sqrt(np.pi / (0.5 + np.pi / 8)))
HEART_MIDDLE = np.float32(0.55)
ROOT_3 = np.float32(np.sqrt(3))
SATURATION = 0.75


def square(u: np.ndarray, v: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Signed distance (B, H, W) to a square."""
    du, dv = np.abs(u) - SQUARE * radius, np.abs(v) - SQUARE * radius
    return np.hypot(np.maximum(du, 0), np.maximum(dv, 0)) + np.minimum(np.maximum(du, dv), 0)


def ellipse(u: np.ndarray, v: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Signed distance (B, H, W) to a horizontal ellipse, exact at its edge, where anti-aliasing needs it."""
    a, b = radius * ELONGATION, radius / ELONGATION
    near, slope = np.hypot(u / a, v / b), np.hypot(u / (a * a), v / (b * b))
    return near * (near - 1) / np.maximum(slope, np.float32(1e-6))


def heart(u: np.ndarray, v: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Signed distance (B, H, W) to a heart, tip down."""
    size = HEART * radius
    u, v = np.abs(u) / size, v / size + HEART_MIDDLE
    lobe = np.hypot(u - np.float32(0.25), v - np.float32(0.75)) - np.float32(np.sqrt(2) / 4)
    edge = np.float32(0.5) * np.maximum(u + v, 0)
    tip = np.minimum(u * u + (v - 1) ** 2, (u - edge) ** 2 + (v - edge) ** 2)
    return np.where(u + v > 1, lobe, np.sqrt(tip) * np.sign(u - v)) * size


def triangle(u: np.ndarray, v: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Signed distance (B, H, W) to an equilateral triangle, base down."""
    half = TRIANGLE * radius
    u, v = np.abs(u) - half, v + half / ROOT_3
    beyond = u + ROOT_3 * v > 0
    u, v = np.where(beyond, (u - ROOT_3 * v) / 2, u), np.where(beyond, (-ROOT_3 * u - v) / 2, v)
    u = u - np.clip(u, -2 * half, 0)
    return -np.hypot(u, v) * np.sign(v)


def draw(
    distance: Distance, size: int, x: np.ndarray, y: np.ndarray, radius: np.ndarray, rotation: np.ndarray
) -> np.ndarray:
    """The share of each pixel that is covered, float32 (B, size, size) in [0, 1].

    Centre x, y (from the left, from the top) and radius are fractions of the image's side; rotation is in degrees,
    counter-clockwise; all (B,).
    """
    x, y, radius, turn = (np.asarray(a, np.float32)[:, None, None] for a in (x, y, radius, np.deg2rad(rotation)))
    middles = np.arange(size, dtype=np.float32) + np.float32(0.5)
    right, up = middles[None, None, :] - x * size, y * size - middles[None, :, None]
    u = right * np.cos(turn) + up * np.sin(turn)  # (B, 1, W), (B, H, 1) -> (B, H, W)
    v = up * np.cos(turn) - right * np.sin(turn)
    return np.clip(np.float32(0.5) - distance(u, v, radius * size), 0, 1)


def hue_to_rgb(hue: np.ndarray) -> np.ndarray:
    """Bright colours (B, 3) in [0, 1] for hues (B,) in degrees (https://en.wikipedia.org/wiki/HSL_and_HSV)."""
    k = (np.array([5, 3, 1]) + np.asarray(hue)[:, None] / 60) % 6
    return (1 - SATURATION * np.clip(np.minimum(k, 4 - k), 0, 1)).astype(np.float32)
