"""The tables of the grammar: every name of `spec` with the ways people say it, the plainest first."""

from __future__ import annotations

Table = dict[str, tuple[str, ...]]

KIND_WORDS: Table = {
    "ball": ("ball", "ball", "ball", "circle", "sphere", "disc"),
    "box": ("box", "square", "box", "square", "cube", "block"),
    "triangle": ("triangle", "triangle", "triangle", "pyramid"),
    "star": ("star",),
    "car": ("car", "car", "car", "automobile"),
    "boat": ("boat", "boat", "ship", "sailboat"),
    "tree": ("tree",),
    "house": ("house", "house", "cottage"),
    "bird": ("bird",),
    "sun": ("sun",),
    "cloud": ("cloud",),
}

COLOUR_WORDS: Table = {
    "red": ("red", "red", "red", "red", "crimson", "scarlet"),
    "orange": ("orange",),
    "yellow": ("yellow", "yellow", "yellow", "golden"),
    "green": ("green", "green", "green", "dark green"),
    "blue": ("blue", "blue", "blue", "dark blue"),
    "purple": ("purple", "purple", "purple", "violet"),
    "white": ("white",),
    "black": ("black",),
    "pink": ("pink",),
    "brown": ("brown",),
    "cyan": ("cyan", "turquoise"),
}

SIZE_WORDS: Table = {
    "small": ("small", "small", "little", "tiny"),
    "medium": ("", "", "", "", "medium"),
    "large": ("large", "big", "big", "huge"),
}

COUNT_WORDS: dict[int, tuple[str, ...]] = {2: ("two", "a pair of"), 3: ("three",)}

VERBS = (
    "rolling",
    "moving",
    "sliding",
    "drifting",
    "travelling",
    "traveling",
    "gliding",
    "going",
    "flying",
    "floating",
    "moves",
    "rolls",
    "slides",
    "drifts",
    "travels",
    "glides",
    "goes",
    "flies",
    "floats",
    "passing",
)

KIND_VERBS: Table = {
    "car": ("driving", "drives", "racing", "speeding"),
    "boat": ("sailing", "sails", "cruising"),
    "bird": ("flying", "flies", "soaring", "gliding"),
    "cloud": ("drifting", "floating", "drifts"),
    "sun": ("moving", "travelling"),
}
"""What things of a kind do when they move; half the captions use these."""

DIRECTIONS: Table = {
    "right": (
        "left to right",
        "from left to right",
        "to the right",
        "from left to right",
        "rightwards",
        "right",
        "towards the right",
        "from the left to the right",
        "across the screen to the right",
    ),
    "left": (
        "right to left",
        "from right to left",
        "to the left",
        "from right to left",
        "leftwards",
        "left",
        "towards the left",
        "from the right to the left",
        "across the screen to the left",
    ),
    "up": ("up", "upwards", "upward", "from bottom to top", "to the top", "towards the top"),
    "down": ("down", "downwards", "downward", "from top to bottom", "to the bottom", "towards the bottom"),
}

MOTION_PHRASES: Table = {
    "up": ("rising", "climbing", "rises", "ascending", "rising up", "lifting off"),
    "down": ("falling", "sinking", "dropping", "falls", "descending", "falling down", "dropping down"),
    "still": (
        "standing still",
        "at rest",
        "not moving",
        "resting",
        "sitting still",
        "that does not move",
        "motionless",
        "staying in place",
        "standing",
        "sitting",
        "lying still",
        "",
    ),
    "bounce": ("bouncing", "bouncing up and down", "bounces", "hopping", "jumping up and down"),
    "spin": ("spinning", "rotating", "spins", "turning around", "spinning in place"),
    "grow": ("growing", "getting bigger", "grows", "expanding", "growing larger"),
    "shrink": ("shrinking", "getting smaller", "shrinks", "contracting"),
    "orbit": ("circling", "moving in a circle", "going around in a circle", "orbiting"),
    "zigzag": ("zigzagging", "moving in a zigzag", "zigzagging from left to right"),
}

SPEED_WORDS: Table = {
    "slow": ("slowly", "slowly", "at low speed"),
    "normal": ("",),
    "fast": ("fast", "quickly", "rapidly"),
}

PLACE_PHRASES: Table = {
    "grey": (
        "on a grey background",
        "on a plain grey background",
        "on a gray background",
        "in front of a grey wall",
        "in front of a gray wall",
        "on plain gray",
        "over grey",
        "in a grey room",
        "against a grey background",
        "with a grey background",
        "on a plain background",
    ),
    "grass": (
        "over green grass",
        "on the grass",
        "on a meadow",
        "over a meadow",
        "across a green meadow",
        "on a lawn",
        "in a green field",
        "across a grassy field",
        "on grass",
        "over the lawn",
        "in a park",
        "over a green field",
    ),
    "sea": (
        "over the sea",
        "on the sea",
        "over blue water",
        "on the ocean",
        "over the ocean",
        "above the waves",
        "at sea",
        "on the water",
        "on a lake",
        "across the water",
    ),
    "desert": (
        "in the desert",
        "over the sand",
        "across the desert",
        "over sand dunes",
        "on a sandy beach",
        "on the beach",
        "on sand",
        "over desert sand",
        "over the dunes",
    ),
    "night": (
        "in the night sky",
        "under the stars",
        "at night",
        "in a starry sky",
        "in space",
        "against the stars",
        "in a dark night sky",
        "in front of the stars",
        "in a starry night",
    ),
    "snow": (
        "over the snow",
        "in the snow",
        "on snow",
        "across a snowy field",
        "over white snow",
        "on a snowy field",
        "on ice and snow",
        "over snowy ground",
        "in winter snow",
    ),
}

DAYTIME_PHRASES: Table = {"day": ("",), "dusk": ("at dusk", "at sunset", "in the evening")}

CAMERA_PHRASES: Table = {
    "static": ("",),
    "pan_left": ("camera pans left", "the camera pans to the left", "panning left"),
    "pan_right": ("camera pans right", "the camera pans to the right", "panning right"),
    "zoom_in": ("camera zooms in", "zooming in", "the camera moves closer"),
    "zoom_out": ("camera zooms out", "zooming out", "the camera moves away"),
}

RELATION_PHRASES: Table = {
    "and": ("and", "and", "and", "next to", "beside", "with"),
    "left_of": ("left of", "to the left of"),
    "right_of": ("right of", "to the right of"),
    "above": ("above", "over"),
    "below": ("below", "under"),
}

TEMPLATES = (
    "{subject} {action} {place}",
    "{subject} {action} {place}",
    "{subject} {action} {place}",
    "{subject} {action} {place}",
    "{subject} {place} {action}",
    "{place}, {subject} {action}",
    "{subject} is {action} {place}",
    "a video of {subject} {action} {place}",
    "a clip of {subject} {action} {place}",
    "{place} there is {subject} {action}",
    "{subject}, {action}, {place}",
)
