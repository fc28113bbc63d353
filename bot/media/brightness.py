"""HDR videos, and the filters (tone mapping) that fit their highlights into SDR.

In HDR, reference white is 203 nits (ITU-R BT.2408). A usual screen shows nothing brighter, so the
curve bends below it, as in BT.2390: dark and middle tones stay as they are.
"""

from av.video.reformatter import ColorTrc

_HIGHLIGHTS = {
    ColorTrc.SMPTE2084: (0.7518, 0.5807),  # 1000 nits and 203 nits in the signal of PQ
    ColorTrc.ARIB_STD_B67: (1.0, 0.75),
}
"""For each HDR transfer: the brightest signal that keeps its shades, and reference white."""
BRIGHT = frozenset(_HIGHLIGHTS)
"""Transfer functions of HDR: players without HDR show such pictures pale."""


def dimmed(transfer: int) -> tuple[tuple[str, str], ...]:
    """Return names and arguments of the tone mapping filters for HDR; none for other transfers."""
    for bright, (peak, white) in _HIGHLIGHTS.items():
        if transfer == bright:
            curve = _curve(peak, white)
            return ("format", "gbrp16le"), ("lutrgb", f"r='{curve}':g='{curve}':b='{curve}'")
    return ()


def _curve(peak: float, white: float) -> str:
    """Return the curve: a straight line up to a knee, then a spline that ends level at white."""
    top = white / peak
    knee = 1.5 * top - 0.5
    signal, way = "ld(0)", "ld(1)"
    spline = (
        f"(2*{way}^3-3*{way}^2+1)*{knee}"
        f"+({way}^3-2*{way}^2+{way})*{1 - knee}"
        f"+(3*{way}^2-2*{way}^3)*{top}"
    )
    return (
        f"st(0,min(1,val/maxval/{peak}));st(1,({signal}-{knee})/{1 - knee});"
        f"maxval*{peak}*if(lt({signal},{knee}),{signal},{spline})"
    )
