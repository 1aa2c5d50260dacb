"""``safegen describe``."""

from __future__ import annotations

from pathlib import Path

import click

from safegen.cli import _options


@click.command(
    "describe",
    epilog="Exit codes: 0 written, 2 unreadable or output exists, 4 the video could not be examined.",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "video",
    type=click.Path(path_type=Path),
    help="Also write a copy of the video (MP4) with the tracks inside; the files are written beside it.",
)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for the files (default: beside FILE).",
)
@click.option(
    "--captions",
    type=click.Path(path_type=Path),
    metavar="VTT",
    help="What is said in the video, as WebVTT (default: its own subtitles, if any).",
)
@click.option("--force", is_flag=True, help="Replace existing files.")
@_options.as_json
@_options.plain
def command(
    file: Path,
    video: Path | None,
    folder: Path | None,
    captions: Path | None,
    force: bool,
    as_json: bool,
    plain: bool,
) -> None:
    """Write captions, descriptions, chapters (WebVTT) and a transcript (HTML) for the video FILE.

    The descriptions are written by a program and may be wrong; they say where it is unsure. FILE itself is
    not changed. Nothing is signed: `safegen protect` signs the copy that -o writes.
    """
    from safegen.api import describe
    from safegen.cli._output import ProgressBar, console, print_json, say_note
    from safegen.pipeline.describe import description_rows

    with ProgressBar(quiet=as_json, plain=plain) as bar:
        done = describe(file, folder=folder, video=video, captions=captions, overwrite=force, progress=bar)
    if as_json:
        print_json(done.to_dict())
        return
    for note in done.notes:
        say_note(note)
    out = console(plain)
    for name, value in description_rows(done):
        out.print(f"{name:<13}{value}")
