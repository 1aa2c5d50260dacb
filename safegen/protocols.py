"""The plug-in contracts, all in one place.

A new generator, watermark, prompt detector, frames detector or attribute extractor is one new file
that offers an object of one of these shapes; nothing else changes (see ``safegen.plugins``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from safegen.types import (
    Attribute,
    CheckRun,
    Clip,
    Condition,
    Finding,
    FrameSample,
    Generated,
    Mode,
    Outlook,
    Request,
    WatermarkReading,
)

if TYPE_CHECKING:
    from safegen.types import Frame

Questions: TypeAlias = Mapping[str, Mapping[str, str]]
"""What an extractor is asked: for every attribute a text for each class (none: it needs no texts)."""


@runtime_checkable
class Progress(Protocol):
    """Receives the progress of long work. The library never prints."""

    def stage(self, name: str, total: int | None = None) -> None:
        """Begin stage *name* (``loading``, ``denoising``, ``marking``...) of *total* units, if known."""

    def advance(self, amount: int = 1) -> None:
        """Count *amount* more units of the current stage."""

    def cancelled(self) -> bool:
        """Whether the user asked to stop; long loops ask at every unit and raise Interrupted."""


class NoProgress:
    """Progress that reports nothing and never cancels."""

    def __repr__(self) -> str:
        return "NoProgress()"

    def stage(self, name: str, total: int | None = None) -> None:
        """Ignore."""

    def advance(self, amount: int = 1) -> None:
        """Ignore."""

    def cancelled(self) -> bool:
        """``False``."""
        return False


class PromptDetector(Protocol):
    """Examines text. MUST raise CheckUnavailable when it cannot run; MUST NOT return [] instead.

    A detector that has only ``run`` is completed when it is loaded: it reads one text after the other and no
    lists, and rates no prompt as a whole.
    """

    name: str
    """As in the ``detector`` of its findings."""
    rates_whole_prompt: bool
    """Whether its findings are calibrated probabilities for the prompt as a whole, one a category, where
    ``unsafe`` is the overall one and what it leaves out is nearly nil; not matches of something in it.
    Such an opinion is pooled with the encoder's, a guard may clear it, and consent may lift it."""

    def run(self, text: str) -> tuple[Sequence[Finding], CheckRun]:
        """Examine *text*; findings carry spans into exactly this string."""

    def run_many(self, texts: Sequence[str]) -> Sequence[tuple[Sequence[Finding], CheckRun]]:
        """``run`` for every one of *texts*: as many answers, in order."""

    def with_lists(self, lists: Sequence[str]) -> PromptDetector:
        """The detector that reads the rule lists of these names (none: all); itself, if it reads none."""


@runtime_checkable
class EnglishReader(Protocol):
    """What a prompt detector also offers if it was made for English and knows its words."""

    def vocabulary(self) -> Callable[[str], bool]:
        """Whether a word is known, as a function. Raises CheckUnavailable."""


class FrameDetector(Protocol):
    """Examines a clip before marking. MUST raise CheckUnavailable when it cannot run."""

    name: str

    def run(self, clip: Clip) -> tuple[Sequence[Finding], CheckRun]:
        """Examine the clip."""


class AttributeExtractor(Protocol):
    """Reports what is in a clip. No picture makes it raise: what it cannot tell is ``unknown``.

    MUST raise CheckUnavailable when it cannot run, such as without its model. One that has only ``run`` is
    completed when it is loaded: it prepares nothing.
    """

    name: str

    def prepare(self, questions: Questions) -> AttributeExtractor:
        """An extractor for these *questions*, with what it needs loaded; itself, if they change nothing.

        Raises UsageError for questions that it cannot work with, then CheckUnavailable.
        """

    def run(self, clip: Clip) -> tuple[Sequence[Attribute], CheckRun]:
        """Extract the attributes."""


class Generator(Protocol):
    """Makes a clip from an allowed request."""

    name: str

    @property
    def modes(self) -> frozenset[Mode]:
        """The ways of working it can do, as far as is known before anything is loaded."""

    def outlook(self, request: Request) -> Outlook:
        """What it would make of *request*; nothing is loaded or downloaded for it.

        Raises UsageError for anything the model cannot make, saying what it can.
        """

    def generate(
        self, request: Request, *, progress: Progress, conditions: Sequence[Condition] = ()
    ) -> Generated:
        """Make the clip. *conditions* are the request's inputs, admitted and decoded, in the same order.

        Extending returns the whole clip: the input's part and the new part. MUST be deterministic in
        ``request.seed``; MUST ask ``progress.cancelled()`` at every denoising step and raise
        Interrupted. Raises GenerationFailed, MissingExtra, UsageError.
        """


class ShippedGenerator(Generator, Protocol):
    """A generator that comes with its weights and has a name of its own."""

    def describe(self) -> dict[str, Any]:
        """The row of ``safegen models``: ``name``, ``summary``, ``source``, ``licence``, sizes and defaults.

        Raises GenerationFailed when its weights are missing or altered.
        """


class Watermark(Protocol):
    """Hides a payload in frames, and finds it again."""

    alg: str
    """Versioned scheme id, as in the manifest's soft binding."""
    payload_bits: int
    sample_frames: int
    """How many frames ``detect`` wants to see at most."""
    sample_short_side: int | None
    """Frames given to ``detect`` may be scaled down to this short side; ``None``: native size."""

    def embed(self, frames: Iterable[Frame], *, payload: int, key: bytes) -> Iterator[Frame]:
        """Yield marked copies of *frames*, one in one out, streaming (uint8 RGB, same shape)."""

    def detect(
        self, sample: FrameSample, *, key: bytes, known: Sequence[int] = ()
    ) -> Sequence[WatermarkReading]:
        """Every mark found in *sample*, strongest first; none found: one reading with ``present=False``.

        *known* are payloads (ids of a ledger) that may be tested for directly: less evidence is needed.
        """


@runtime_checkable
class LumaWatermark(Protocol):
    """What a watermark also offers if it can mark stored planes directly, including 10-bit ones."""

    def embed_luma(
        self, planes: Iterable[Any], *, payload: int, key: bytes, depth: int, full_range: bool
    ) -> Iterator[Any]:
        """Mark luma planes (uint8, or uint16 of *depth* bits; (height, width)) in place; one in one out."""


class Signer(Protocol):
    """Signs C2PA claims: PEM keys, PKCS#12, HSM/KMS callbacks."""

    @property
    def alg(self) -> str:
        """``es256``, ``es384``, ``es512``, ``ps256`` or ``ed25519``."""

    @property
    def chain_pem(self) -> bytes:
        """Leaf first, then intermediates; the root left out or in."""

    def sign(self, data: bytes) -> bytes:
        """Signature over *data* (ECDSA: raw r||s or DER). Raises SigningFailed."""


StepHook: TypeAlias = Callable[[str], None]
"""Called with the name of every step of the release protocol: tests inject faults there."""


def no_hook(_step: str) -> None:
    """The hook nobody set."""
