"""Words that say how a picture looks, not what it shows.

Users of picture models append dozens of them ("highly detailed, 8k, artstation"), which drowns the few words
that matter. Parts of a prompt (between commas or full stops) that hold nothing else are left out before
features are made; the rule lists still see everything.
"""

from __future__ import annotations

from collections.abc import Iterator

_WORDS = """
a an the and of in on with by at for to very extremely super hyper ultra highly detailed detail details
intricate intricately elegant smooth sharp focus focused illustration illustrated digital painting painted
concept art artwork artstation deviantart cgsociety pixiv pinterest instagram flickr behance trending hq hd
fhd uhd hdr 4k 8k 16k 1080p 720p 2k 5k 6k 10k octane unreal engine 4 5 render rendered rendering renderer
ray raytracing raytraced tracing traced global illumination subsurface scattering photorealistic
photorealism hyperrealistic hyperrealism hyperdetailed ultradetailed realistic realism photo photograph
photography photographic photographer cinematic cinematography lighting lit light lights dramatic volumetric
studio soft softly rim golden hour natural ambient backlit backlight moody depth field bokeh dof masterpiece
award winning awardwinning beautiful gorgeous stunning breathtaking amazing epic symmetrical symmetry
symmetric centered composition composed rule thirds vivid vibrant colorful colors color colours colour
palette grading graded pastel muted tones matte oil canvas acrylic gouache watercolor watercolour pencil
charcoal sketch drawing line lines lineart ink anime manga comic cartoon style styled stylized film still
frame grain grainy kodak portra fujifilm polaroid canon nikon sony leica hasselblad dslr iphone gopro lens
wide angle fisheye telephoto close up closeup shot full body half portrait landscape macro aerial drone slow
motion timelapse lapse time handheld tracking pan zoom static camera low poly isometric 3d 2d cgi vfx
blender maya zbrush houdini redshift arnold vray cel shaded shading pbr textures textured texture quality
high best resolution res max aspect ratio ar 16 9 3 2 1 35mm 50mm 85mm 24mm f 8 24fps 30fps 60fps fps view
perspective background bright clean crisp clear professional atmosphere atmospheric mood vintage retro
analog noir minimalist minimalism impressionism impressionist surrealism expressionism baroque renaissance
nouveau deco ukiyo e synthwave vaporwave cyberpunk steampunk fantasy sci fi dynamic pose contrast exposure
long double fog foggy mist misty haze hazy sunset sunrise dusk dawn sunlight moonlight evening morning
"""
STYLE = frozenset(_WORDS.split())
_BREAKS = frozenset(",.;|:")


def without_style(words: list[str]) -> list[str]:
    """*words* without the parts that are style only; unchanged when nothing else would remain."""
    kept: list[str] = []
    for part in _parts(words):
        if not all(w in STYLE or not w.isalnum() for w in part):
            kept += part
    return kept if any(w.isalnum() for w in kept) else words


def _parts(words: list[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for word in words:
        part.append(word)
        if word in _BREAKS:
            yield part
            part = []
    if part:
        yield part
