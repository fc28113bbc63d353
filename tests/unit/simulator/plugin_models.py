"""The models of plugins that several test modules order."""

WAN, GROK, VEO = "wan2.5-i2v-preview", "grok-imagine-video", "veo-3.1-generate-preview"
SEEDANCE, HAILUO, H3 = "doubao-seedance-2-0-260128", "MiniMax-Hailuo-02", "MiniMax-H3"
JIMENG = "jimeng_vgfm_t2v_l20"
