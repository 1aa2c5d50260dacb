"""A model on a server: any engine that speaks OpenAI's ``/v1/videos``, behind ``--model URL#NAME``.

What comes back counts as foreign: it is decoded in the sandbox and compared with what was asked. What
cannot be known from here (weights, version, licence) is recorded as unknown. The clip's own credentials
stay with it as an ingredient (``Generated.upstream``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from safegen.errors import UsageError
from safegen.generators.remote import received_clip
from safegen.generators.remote.address import Address, parse_address, parse_options
from safegen.generators.remote.calls import JobNotFound
from safegen.generators.remote.client import RemoteClient
from safegen.generators.remote.engines import DEFAULT_ENGINE, ENGINES, Engine, detect_engine
from safegen.generators.remote.fields import check_mode, request_fields
from safegen.generators.remote.keys import find_key
from safegen.generators.remote.reference import data_url, encode_reference
from safegen.generators.remote.responses import sanitize
from safegen.media.scratch import scratch_file
from safegen.types import Generated, ModelRef, Outlook

if TYPE_CHECKING:
    from pathlib import Path

    from safegen.generators.remote.responses import VideoJob
    from safegen.protocols import Progress
    from safegen.types import Condition, Mode, Request


class RemoteGenerator:
    """Generator around one model of one server. Nothing is contacted before ``generate``."""

    def __init__(self, model: str) -> None:
        """Read ``URL#NAME``. Raises UsageError."""
        self.address: Address = parse_address(model)
        self.name = self.address.identifier

    @property
    def modes(self) -> frozenset[Mode]:
        """What some engine can do: which one answers is known when it is asked."""
        return frozenset().union(*(engine.modes for engine in ENGINES.values()))

    def outlook(self, request: Request) -> Outlook:
        """What is asked for; what is made, the server decides. Contacts nobody.

        Raises UsageError for options that cannot be, and for what the engine (``--option engine=``) cannot.
        """
        options = parse_options(request.options)
        notes = [f"the prompt is sent to {self.address.host}; what happens to it there cannot be checked"]
        if options.engine is not None:
            notes += request_fields(
                options.engine, request, options.engine_options, _assumed_source_seconds(request)
            )[1]
        elif request.mode not in self.modes:
            check_mode(DEFAULT_ENGINE, request)
        else:
            notes.append(
                "the server is asked first which engine it is; name it with --option engine="
                + "|".join(ENGINES)
            )
        has_key = "a key" if find_key(self.address, options, open_keyring=False) else "no key"
        needs = {"server": self.address.url, "engine": options.engine.name if options.engine else "unknown"}
        return Outlook(
            request.width,
            request.height,
            request.seconds,
            request.fps,
            tuple(notes),
            {**needs, "key": has_key},
        )

    def generate(
        self, request: Request, *, progress: Progress, conditions: Sequence[Condition] = ()
    ) -> Generated:
        """Ask the server for the clip, wait, fetch and check it.

        The same request gives the same clip only as far as the server keeps to the seed. When it is stopped
        or fails, the server is told to stop too. Raises MissingExtra, UsageError, GenerationFailed,
        Interrupted.
        """
        options = parse_options(request.options)
        key = find_key(self.address, options)
        progress.stage("connecting")
        with RemoteClient(self.address, options, key, progress) as upstream:
            engine, offered = (options.engine, ()) if options.engine else detect_engine(upstream.models())
            self._check_served(offered, key)
            seconds = conditions[0].clip.seconds if conditions else 0.0
            sent, notes = request_fields(engine, request, options.engine_options, seconds)
            file = scratch_file("upstream.mp4")
            job = self._create_and_fetch(upstream, engine, request, conditions, sent, file, progress)
            stays = options.delete and not engine.synchronous and not upstream.cancel(job)
        got = received_clip.inspect_clip(file, self._expected(request, sent), self.address.host)
        notes += [*got.notes, *self._model_mismatch_notes(job)]
        if stays:
            notes.append(f"{self.address.host} did not delete its own copy")
        return Generated(
            got.clip,
            ModelRef(self.address.model, self.address.identifier, "unknown", None, "unknown"),
            self._settings(engine, sent, job, got),
            tuple(notes),
            upstream=file if got.signed else None,
        )

    def _create_and_fetch(
        self,
        upstream: RemoteClient,
        engine: Engine,
        request: Request,
        conditions: Sequence[Condition],
        sent: dict[str, Any],
        file: Path,
        progress: Progress,
    ) -> VideoJob:
        """Have the clip made and written to *file*; whatever ends this early ends it on the server too."""
        along = encode_reference(engine, request, conditions, progress)
        if along is not None and engine.reference == "data-url":
            sent, along = {**sent, "input_reference": data_url(along)}, None
        job = upstream.create_video(engine, engine.calls[request.mode], request.prompt, sent, along)
        try:
            job = upstream.wait_until_done(job)
            if job.clip is not None:
                received_clip.write_base64_clip(job.clip, file, upstream.max_bytes)
            else:
                upstream.download_video(job, file)
        except JobNotFound:
            raise  # nobody knows whether it is still wanted there: what was paid for is not thrown away
        except BaseException as error:
            if not engine.synchronous and not upstream.cancel(job):
                error.add_note(f"{self.address.host} did not confirm that it stopped; its job is {job.id}")
            raise
        return job

    def _check_served(self, names: Sequence[str], secret: str | None) -> None:
        """Raise UsageError when the server says that it serves other models only."""
        if names and self.address.model not in names:
            listed = ", ".join(sanitize(name, secret) for name in names[:8])
            raise UsageError(
                f"{self.address.host} does not serve {self.address.model}",
                hint=f"it serves: {listed}; to try anyway, add --option engine=...",
            )

    def _expected(self, request: Request, sent: dict[str, Any]) -> Outlook:
        """What the clip should be like, as far as it was said."""
        seconds = request.seconds
        if seconds is None and request.mode != "extend" and "seconds" in sent:
            seconds = float(sent["seconds"])
        return Outlook(request.width, request.height, seconds, request.fps)

    def _model_mismatch_notes(self, job: VideoJob) -> list[str]:
        """A note when the server names another model than the one asked for."""
        if not job.model or job.model == self.address.model:
            return []
        return [f"requested the model {self.address.model}, {self.address.host} reports {job.model}"]

    def _settings(
        self, engine: Engine, sent: dict[str, Any], job: VideoJob, got: received_clip.ReceivedClip
    ) -> dict[str, Any]:
        """What is recorded: what was sent (the prompts and pictures left out), to whom, what came back."""
        private = ("negative_prompt", "input_reference", "response_format")
        flat = {**sent, **sent.get("nvext", {})}
        shaped = {k: v for k, v in flat.items() if k not in (*private, "nvext")}
        return {
            "seed": None,  # unless it was sent: the release must not claim one that nobody used
            **shaped,
            "engine": engine.name,
            "server": self.address.url,
            "job": job.id,
            "received_sha256": got.sha256,
        }


def _assumed_source_seconds(request: Request) -> float:
    """For a clip that goes on, whose own length is known only when it is read: any that fits."""
    return (request.seconds or 5.0) - 1.0
