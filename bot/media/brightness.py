"""Videos for bright screens (HDR), and the filters that make room for their highlights on others.

White of paper is 203 nits in them (ITU-R BT.2408), and what is brighter has no place on a usual
screen. So the curve bends before it, as BT.2390 bends it: dark and middle tones stay as they are.
"""

from av.video.reformatter import ColorTrc

_HIGHLIGHTS = {
    ColorTrc.SMPTE2084: (0.7518, 0.5807),  # 1000 nits and 203 nits in the signal of PQ
    ColorTrc.ARIB_STD_B67: (1.0, 0.75),
}
"""The brightest signal that keeps its shades, and the white of paper."""
BRIGHT = frozenset(_HIGHLIGHTS)
"""Transfers of HDR: what does not know them shows such pictures pale."""


def dimmed(transfer: int) -> tuple[tuple[str, str], ...]:
    """Names and arguments of the filters that bend highlights down to white; none without HDR."""
    for bright, (peak, white) in _HIGHLIGHTS.items():
        if transfer == bright:
            curve = _curve(peak, white)
            return ("format", "gbrp16le"), ("lutrgb", f"r='{curve}':g='{curve}':b='{curve}'")
    return ()


def _curve(peak: float, white: float) -> str:
    """Straight up to a knee, and from there a spline that ends level at white."""
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
