"""What each family of guards is asked and how its answer reads.

Sources: the model cards and chat templates of Qwen3Guard-Gen (QwenLM/Qwen3Guard) and of Llama Guard 3
(meta-llama/PurpleLlama); the names of the hazards are those of the MLCommons taxonomy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from safegen.errors import CheckUnavailable

Label: TypeAlias = Literal["safe", "controversial", "unsafe"]


@dataclass(frozen=True)
class Answer:
    """What a guard said: its label, and the categories it named (ours, and in its own words)."""

    label: Label
    categories: tuple[str, ...]
    named: tuple[str, ...]


@dataclass(frozen=True)
class Family:
    """A family of guards. ``labels``: how each label begins in the answer, for its probability.

    ``markers`` stand in the chat template of every checkpoint of the family; ``template`` is used for
    checkpoints that come without one.
    """

    name: str
    labels: Mapping[str, Label]
    categories: Mapping[str, str]
    template: str
    markers: tuple[str, ...]
    parse: Callable[[str], Answer]

    def prompt(self, text: str) -> str:
        """The question about *text*, ready for the tokeniser."""
        return self.template.replace("{text}", text.strip())


_QWEN: dict[str, str] = {
    "Violent": "violence_gore",
    "Non-violent Illegal Acts": "illegal_activity",
    "Sexual Content or Sexual Acts": "sexual",
    "PII": "privacy",
    "Suicide & Self-Harm": "self_harm",
    "Unethical Acts": "unsafe",
    "Politically Sensitive Topics": "misinformation_political",
    "Copyright Violation": "copyright_ip",
    "Jailbreak": "unsafe",
}
_LLAMA: dict[str, tuple[str, str]] = {
    "S1": ("Violent Crimes", "violence_gore"),
    "S2": ("Non-Violent Crimes", "illegal_activity"),
    "S3": ("Sex-Related Crimes", "sexual"),
    "S4": ("Child Sexual Exploitation", "minors_sexual"),
    "S5": ("Defamation", "harassment"),
    "S6": ("Specialized Advice", "unsafe"),
    "S7": ("Privacy", "privacy"),
    "S8": ("Intellectual Property", "copyright_ip"),
    "S9": ("Indiscriminate Weapons", "weapons"),
    "S10": ("Hate", "hate"),
    "S11": ("Suicide & Self-Harm", "self_harm"),
    "S12": ("Sexual Content", "sexual"),
    "S13": ("Elections", "misinformation_political"),
    "S14": ("Code Interpreter Abuse", "illegal_activity"),
}

_QWEN_TEMPLATE = (
    "<|im_start|>user\n# Task:\n1) Evaluate whether THE LAST USER's query belongs to safe or unsafe content "
    "based on our safety policy.\n2) Identify the category of unsafe content found.\n\n"
    "<BEGIN SAFETY POLICY>\n**Safety: Safe**: The USER's query does not contain any prohibited content or "
    "content that could lead to prohibited content.\n**Safety: Unsafe**: The USER's query contains "
    "prohibited content.\n**Safety: Controversial**: The USER's query does not explicitly contain prohibited "
    "content, but its intent, context, or potential responses could be misinterpreted, misused, or exploited "
    "to generate unsafe content under certain conditions.\n<END SAFETY POLICY>\n\n"
    "<BEGIN UNSAFE CONTENT CATEGORIES>\n"
    + "".join(f"{name}.\n" for name in _QWEN)
    + "<END UNSAFE CONTENT CATEGORIES>\n\n<BEGIN CONVERSATION>\n\nUSER: {text}\n\n<END CONVERSATION>\n\n"
    "Provide your safety assessment for ONLY THE LAST **USER's query** in the above conversation:\n"
    " - The first line must be one of: 'Safety: Safe', 'Safety: Unsafe', 'Safety: Controversial'.\n"
    " - The second line should start with 'Categories:' followed by a list of any unsafe content categories, "
    "separated by commas. If the content is safe, use 'Categories: None'.<|im_end|>\n"
    "<|im_start|>assistant\n<think>\n\n</think>\n\n"
)
_LLAMA_TEMPLATE = (
    "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nTask: Check if there is unsafe content in "
    "'User' messages in conversations according our safety policy with the below categories.\n\n"
    "<BEGIN UNSAFE CONTENT CATEGORIES>\n"
    + "".join(f"{code}: {name}.\n" for code, (name, _) in _LLAMA.items())
    + "<END UNSAFE CONTENT CATEGORIES>\n\n<BEGIN CONVERSATION>\n\nUser: {text}\n\n<END CONVERSATION>\n\n"
    "Provide your safety assessment for ONLY THE LAST User message in the above conversation:\n"
    " - First line must read 'safe' or 'unsafe'.\n - If unsafe, a second line must include a comma-separated "
    "list of violated categories.<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
)
_SAFETY = re.compile(r"\s*(?:<think>\s*</think>\s*)?Safety: (Safe|Unsafe|Controversial)\s*(?:\n|$)")
_CATEGORIES = re.compile(r"^Categories:[ \t]*(.*)$", re.MULTILINE)


def parse_qwen3guard(answer: str) -> Answer:
    """Read ``Safety: Unsafe`` and ``Categories: Violent``. Raises CheckUnavailable for anything else."""
    said = _SAFETY.match(answer)
    if said is None:
        raise unreadable(answer)
    label: Label = {"Safe": "safe", "Unsafe": "unsafe", "Controversial": "controversial"}[said[1]]  # type: ignore[assignment]
    line = _CATEGORIES.search(answer)
    words = [w.strip().rstrip(".") for w in line[1].split(",")] if line else []
    named = tuple(w for w in words if w and w != "None")
    if label == "safe" and named:
        raise unreadable(answer)  # it contradicts itself
    return Answer(label, _ours(label, [_QWEN.get(w, "unsafe") for w in named]), named)


def parse_llama_guard(answer: str) -> Answer:
    """Read ``safe``, or ``unsafe`` and a line of codes (``S1,S10``). Raises CheckUnavailable for the rest."""
    lines = [line.strip() for line in answer.strip().splitlines()]
    if lines == ["safe"]:
        return Answer("safe", (), ())
    if not lines or lines[0] != "unsafe" or len(lines) > 2:
        raise unreadable(answer)
    codes = [c.strip() for c in lines[1].split(",") if c.strip()] if len(lines) == 2 else []
    if unknown := [c for c in codes if c not in _LLAMA]:
        raise unreadable(unknown[0])
    named = tuple(f"{c} {_LLAMA[c][0]}" for c in codes)
    return Answer("unsafe", _ours("unsafe", [_LLAMA[c][1] for c in codes]), named)


def unreadable(answer: str) -> CheckUnavailable:
    """The error for an answer that is none. The answer may quote the prompt, so only its length is told."""
    return CheckUnavailable(
        f"the guard's answer ({len(answer)} characters) is not in its family's format",
        hint="check that the policy's `guard: model:` is a guard of the family it names",
    )


def _ours(label: Label, categories: list[str]) -> tuple[str, ...]:
    """Without doubles; whatever is not safe is at least ``unsafe``."""
    return () if label == "safe" else tuple(dict.fromkeys(["unsafe", *categories]))


FAMILIES: dict[str, Family] = {
    "qwen3guard": Family(
        "qwen3guard",
        {"Safe": "safe", "Unsafe": "unsafe", "Controversial": "controversial"},
        dict(_QWEN),
        _QWEN_TEMPLATE,
        ("<BEGIN UNSAFE CONTENT CATEGORIES>", "Safety: Controversial"),
        parse_qwen3guard,
    ),
    "llama-guard": Family(
        "llama-guard",
        {"safe": "safe", "unsafe": "unsafe"},
        {code: ours for code, (_, ours) in _LLAMA.items()},
        _LLAMA_TEMPLATE,
        ("<BEGIN UNSAFE CONTENT CATEGORIES>", "First line must read 'safe' or 'unsafe'"),
        parse_llama_guard,
    ),
}


def family_of(model: str) -> str | None:
    """The family that a model's name tells; None when it tells none."""
    name = re.sub(r"[^a-z0-9]", "", model.lower().rstrip("/").rsplit("/", 1)[-1])
    if "qwen3guardgen" in name:
        return "qwen3guard"
    return "llama-guard" if "llamaguard3" in name else None
