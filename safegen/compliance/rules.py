"""The rules that can be checked. Texts are short accounts of public law, not the law itself."""

from __future__ import annotations

from safegen.compliance import checks
from safegen.compliance.model import (
    CheckResult,
    ComplianceReport,
    Requirement,
    RequirementFinding,
    Rule,
    met,
    missing,
    outside,
)
from safegen.compliance.statements import Statements
from safegen.errors import UsageError
from safegen.types import Report

ARTICLE = "Regulation (EU) 2024/1689 (AI Act), article 50(2)"
CODE = "Code of practice on marking and labelling of AI-generated content, under article 50(7)"
BPC = "California Business and Professions Code, section"


def _detection_tool(seen: Statements) -> CheckResult:
    """The tool has just answered, so it exists and reads the file; offering it is the provider's part."""
    if not seen.reliable:
        return missing(seen.unreliable_reason)
    return met("safegen verify read the disclosure from this file; it is free, open and works offline")


def _offering(_seen: Statements) -> CheckResult:
    return outside("a file cannot show whether you offer your users a free detection tool")


EU = Rule(
    "eu-ai-act-50",
    "EU AI Act, article 50(2): marking of generated content",
    "Article 50(2) binds providers of systems that generate synthetic content; 50(4) binds those who deploy "
    "deep fakes. Systems already on the market have until 2 December 2026.",
    (
        Requirement(
            "machine-readable",
            ARTICLE,
            "Outputs are marked in a machine-readable format as artificially generated or manipulated.",
            checks.states_ai_generated,
        ),
        Requirement("interoperable", ARTICLE, "The solution is interoperable.", checks.open_standard),
        Requirement("robust", ARTICLE, "The solution is effective, robust and reliable.", checks.robust),
        Requirement("signed", CODE, "The metadata is digitally signed.", checks.signed),
        Requirement("time-stamped", CODE, "The metadata is time-stamped.", checks.time_stamped),
        Requirement(
            "imperceptible-mark", CODE, "An imperceptible mark is in the content.", checks.has_named_watermark
        ),
        Requirement(
            "visible-label",
            "Regulation (EU) 2024/1689 (AI Act), article 50(4)",
            "Deployers disclose that a deep fake was artificially generated or manipulated.",
            checks.visible_label,
        ),
    ),
)

CALIFORNIA = Rule(
    "ca-bpc-22757",
    "California AI Transparency Act: latent and manifest disclosures",
    "It binds covered providers of generative AI systems as section 22757.1 defines them.",
    (
        Requirement("provider", f"{BPC} 22757.3(b)(1)(A)", "The name of the provider.", checks.provider),
        Requirement(
            "system",
            f"{BPC} 22757.3(b)(1)(B)",
            "Name and version number of the system.",
            checks.generating_system,
        ),
        Requirement("time", f"{BPC} 22757.3(b)(1)(C)", "Time and date of creation.", checks.creation_time),
        Requirement("unique-id", f"{BPC} 22757.3(b)(1)(D)", "A unique identifier.", checks.unique_id),
        Requirement(
            "detectable",
            f"{BPC} 22757.3(b)(2)",
            "The provider's AI detection tool detects the disclosure.",
            _detection_tool,
        ),
        Requirement(
            "standard",
            f"{BPC} 22757.3(b)(3)",
            "Consistent with widely accepted industry standards.",
            checks.open_standard,
        ),
        Requirement(
            "hard-to-remove",
            f"{BPC} 22757.3(b)(4)",
            "Permanent or extraordinarily difficult to remove, as far as technically feasible: a "
            "hidden mark leads back to the credentials if they are stripped.",
            checks.has_named_watermark,
        ),
        Requirement(
            "manifest-disclosure",
            f"{BPC} 22757.3(a)",
            "Users are offered a visible disclosure.",
            checks.visible_label,
        ),
        Requirement("tool", f"{BPC} 22757.2", "A free AI detection tool is offered.", _offering),
    ),
)

RULES = {rule.name: rule for rule in (EU, CALIFORNIA)}


def rule_named(name: str) -> Rule:
    """The rule called *name*. Raises UsageError."""
    if name not in RULES:
        raise UsageError(f"there is no rule {name!r}", hint=f"one of {', '.join(RULES)}")
    return RULES[name]


def check_compliance(report: Report, rule: Rule) -> ComplianceReport:
    """Every requirement of *rule* for the file that *report* is about. Pure."""
    seen = Statements(report)
    return ComplianceReport(
        rule, seen, tuple(RequirementFinding(r, r.check(seen)) for r in rule.requirements)
    )
