"""A hub of one's own: enough of the Hugging Face hub's HTTP for the real client, with faults on demand."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from safegen.generators.tiny.generator import FOLDER

NAME = "studio/small-film"
LFS_FROM = 10_000
_API = re.compile(r"/api/models/(?P<repo>[^/]+/[^/?]+)(/revision/(?P<revision>[^/?]+))?")
_FILE = re.compile(r"/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")


@dataclass
class Repo:
    """A model: commits (oldest first) of files by path, and who may have it."""

    commits: list[dict[str, bytes]]
    licence: str = "apache-2.0"
    gated: bool = False
    card: dict[str, str] = field(default_factory=dict)

    @property
    def shas(self) -> list[str]:
        return [hashlib.sha1(f"{i}{sorted(c)}".encode()).hexdigest() for i, c in enumerate(self.commits)]

    def at(self, revision: str) -> tuple[str, dict[str, bytes]] | None:
        names = dict(zip(self.shas, self.commits, strict=True))
        if revision == "main":
            return self.shas[-1], self.commits[-1]
        return (revision, names[revision]) if revision in names else None


class Hub(ThreadingHTTPServer):
    """``log`` holds (method, path, Range) of every request; the rest are faults."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repos: dict[str, Repo] = {}
        self.log: list[tuple[str, str, str | None]] = []
        self.tokens: set[str] = set()
        self.altered: set[str] = set()
        self.cut: dict[str, int] = {}
        self.status: int | None = None
        self.slowly = 0.0
        self.told_the_cdn = False
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def cdn(self) -> str:
        """Another host for large files, as the real hub has."""
        return f"http://localhost:{self.server_address[1]}"

    def ranges(self, method: str = "GET") -> list[str]:
        return [r for m, _, r in self.log if m == method and r]


def git_oid(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Hub

    def log_message(self, *_args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        hub = self.server
        path = self.path.split("?")[0]
        hub.log.append((self.command, path, self.headers.get("Range")))
        if hub.status:
            return self.refuse(hub.status)
        if path.startswith("/cdn/"):
            hub.told_the_cdn |= "Authorization" in self.headers
            return self.send_content(path, *self.content(path.removeprefix("/cdn/")))
        match = _API.fullmatch(path) or _FILE.fullmatch(path)
        if match is None:
            return self.refuse(404)
        repo = hub.repos.get(match["repo"])
        if repo is None:
            return self.refuse(401, "RepoNotFound")
        if repo.gated and self.headers.get("Authorization", "").removeprefix("Bearer ") not in hub.tokens:
            return self.refuse(403 if "Authorization" in self.headers else 401, "GatedRepo")
        found = repo.at(match["revision"] or "main")
        if found is None:
            return self.refuse(404, "RevisionNotFound")
        if match.re is _API:
            return self.send_json(self.info(match["repo"], repo, *found))
        return self.send_file(match["path"], *found)

    def info(self, name: str, repo: Repo, sha: str, files: dict[str, bytes]) -> dict[str, Any]:
        siblings = []
        for path, data in files.items():
            row: dict[str, Any] = {"rfilename": path, "size": len(data), "blobId": git_oid(data)}
            if len(data) >= LFS_FROM:
                row["lfs"] = {
                    "sha256": hashlib.sha256(data).hexdigest(),
                    "size": len(data),
                    "pointerSize": 130,
                }
            siblings.append(row)
        return {
            "id": name,
            "modelId": name,
            "sha": sha,
            "private": False,
            "gated": "manual" if repo.gated else False,
            "tags": [],
            "downloads": 0,
            "siblings": siblings,
            "cardData": {"license": repo.licence, **repo.card},
        }

    def send_file(self, path: str, sha: str, files: dict[str, bytes]) -> None:
        data = files.get(path)
        if data is None:
            self.refuse(404, "EntryNotFound", {"X-Repo-Commit": sha})
        elif len(data) < LFS_FROM:
            self.send_content(path, path, data, {"X-Repo-Commit": sha, "ETag": f'"{git_oid(data)}"'})
        else:
            self.redirect(sha, data)

    def redirect(self, sha: str, data: bytes) -> None:
        digest = hashlib.sha256(data).hexdigest()
        self.send_response(302)
        for key, value in {
            "X-Repo-Commit": sha,
            "X-Linked-Etag": f'"{digest}"',
            "X-Linked-Size": str(len(data)),
            "Location": f"{self.server.cdn}/cdn/{digest}",
            "Content-Length": "0",
        }.items():
            self.send_header(key, value)
        self.end_headers()

    def content(self, digest: str) -> tuple[str, bytes]:
        for repo in self.server.repos.values():
            for files in repo.commits:
                for path, data in files.items():
                    if hashlib.sha256(data).hexdigest() == digest:
                        return path, data
        raise AssertionError(digest)

    def send_content(self, _url: str, path: str, data: bytes, headers: dict[str, str] | None = None) -> None:
        hub = self.server
        if path in hub.altered and self.command == "GET":
            data = bytes([data[0] ^ 1]) + data[1:]
        start = 0
        if wanted := self.headers.get("Range"):
            start = int(wanted.removeprefix("bytes=").split("-")[0])
        self.send_response(206 if start else 200)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if self.command == "HEAD":
            return
        body = data[start:]
        if (cut := hub.cut.pop(path, None)) is not None:
            body, self.close_connection = body[:cut], True
        for i in range(0, len(body), 32_768):
            self.wfile.write(body[i : i + 32_768])
            time.sleep(hub.slowly)
        if cut is not None:
            self.wfile.flush()
            self.connection.close()

    def send_json(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status: int, code: str = "", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in {"X-Error-Code": code, "Content-Length": "0", **(headers or {})}.items():
            if value:
                self.send_header(key, value)
        self.end_headers()


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def serving(in_memory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with the embedded model under a name of its own, and an empty cache."""
    import huggingface_hub

    made = Hub()
    made.repos[NAME] = Repo([files_of(FOLDER)])
    monkeypatch.setenv("HF_ENDPOINT", made.url)
    monkeypatch.setenv("HF_HUB_CACHE", str(in_memory / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(in_memory / "data"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 65_536)
    from safegen.generators.hub import lockfile

    monkeypatch.setattr(lockfile, "records_folder", lambda: in_memory / "data" / "models")
    yield made
    made.shutdown()
    made.server_close()
