"""Secrets that their makers marked: what they begin with, and what they are made of.

The forms are those that issuers document for scanners of secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_ESCAPE: Final = re.compile(r"(?:\\[nrtbfv0]|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2})\Z")
_LONGEST_ESCAPE: Final = 6
_RETRIES: Final = 8
_UUID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_URL: Final = r"[A-Za-z0-9_\-]"

_WRITTEN: Final = (
    ("private-key", "PRIVATE KEY", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?"
     r"(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|\Z)"),
    ("private-key", "Private-Lines:", r"Private-Lines: \d+\r?\n(?:[ \t]*[A-Za-z0-9+/=]+\r?\n?)+"),
    ("aws-key", "AKIA ASIA ABIA ACCA", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    ("aws-key", "ABSK", r"\bABSK[A-Za-z0-9+/=]{60,}"),
    ("github-token", "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
     r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})"),
    ("gitlab-token", "gl GR1348941",
     rf"\b(?:gl(?:pat|dt|ptt|rt|cbt|soat|agent|ft|imt|oas|ffct|wt|rtr)-{_URL}{{20,}}|GR1348941{_URL}{{20,}})"),
    ("anthropic-key", "sk-ant-", rf"\bsk-ant-{_URL}{{16,}}"),
    ("openai-key", "sk-", rf"\bsk-(?:proj-|svcacct-|admin-|or-v1-|None-)?{_URL}{{20,}}"),
    ("xai-key", "xai-", r"\bxai-[A-Za-z0-9]{40,}"),
    ("perplexity-key", "pplx-", r"\bpplx-[A-Za-z0-9]{32,}"),
    ("replicate-token", "r8_", r"\br8_[A-Za-z0-9]{30,}"),
    ("nvidia-key", "nvapi-", rf"\bnvapi-{_URL}{{40,}}"),
    ("together-key", "tgp_v1_", rf"\btgp_v1_{_URL}{{40,}}"),
    ("pinecone-key", "pcsk_", r"\bpcsk_[A-Za-z0-9_]{50,}"),
    ("langsmith-key", "lsv2_", r"\blsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
    ("cerebras-key", "csk-", r"\bcsk-[a-z0-9]{40,}"),
    ("slack-token", "xox xapp-", r"\bxox[abdeoprs]-[A-Za-z0-9\-%/+=]{10,}|\bxapp-\d-[A-Za-z0-9\-]{10,}"),
    ("slack-webhook", "hooks.slack", r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{20,}"),
    ("discord-webhook", "/api/webhooks/", rf"discord(?:app)?\.com/api/webhooks/\d{{15,21}}/{_URL}{{50,}}"),
    ("teams-webhook", "webhook.office.com", r"webhook\.office\.com/webhookb2/[A-Za-z0-9@\-/]{40,}"),
    ("stripe-key", "sk_ rk_ whsec_", r"\b(?:sk|rk|whsec)_(?:live_|test_)?[A-Za-z0-9+/]{16,}={0,2}"),
    ("google-key", "AIza GOCSPX- ya29. 1//0 :APA91b",
     rf"\bAIza{_URL}{{35}}|\bGOCSPX-{_URL}{{20,}}|\bya29\.{_URL}{{20,}}|\b1//0{_URL}{{30,}}"
     rf"|\b{_URL}{{11}}:APA91b{_URL}{{60,}}"),
    ("npm-token", "npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("pypi-token", "pypi-", rf"\bpypi-{_URL}{{50,}}"),
    ("rubygems-key", "rubygems_", r"\brubygems_[0-9a-f]{48}"),
    ("nuget-key", "oy2", r"\boy2[a-z0-9]{43}\b"),
    ("crates-token", "cio", r"\bcio[A-Za-z0-9]{32}\b"),
    ("clojars-token", "CLOJARS_", r"\bCLOJARS_[0-9a-z]{40,}"),
    ("huggingface-token", "hf_ api_org_", r"\b(?:hf|api_org)_[A-Za-z0-9]{30,}"),
    ("docker-token", "dckr_", rf"\bdckr_(?:pat|oat)_{_URL}{{20,}}"),
    ("atlassian-token", "ATATT ATCTT ATBB", r"\bAT(?:ATT|CTT)[A-Za-z0-9_\-=]{50,}|\bATBB[A-Za-z0-9]{24,}"),
    ("sendgrid-key", "SG.", rf"\bSG\.{_URL}{{16,}}\.{_URL}{{16,}}"),
    ("mailgun-key", "key- -", r"\bkey-[0-9a-f]{32}\b|\b[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}\b"),
    ("mailchimp-key", "-us", r"\b[0-9a-f]{32}-us\d{1,2}\b"),
    ("brevo-key", "xkeysib- xsmtpsib-", r"\bx(?:key|smtp)sib-[0-9a-f]{64}-[A-Za-z0-9]{16}"),
    ("twilio-key", "SK AC", r"\b(?:SK|AC)[0-9a-f]{32}\b"),
    ("digitalocean-token", "_v1_", r"\bdo[oprt]_v1_[0-9a-f]{64}"),
    ("heroku-key", "HRKU-", rf"\bHRKU-{_URL}{{36,}}"),
    ("fly-token", "fm1 fm2", r"\bfm[12][a-z]?_[A-Za-z0-9+/=_\-]{40,}"),
    ("netlify-token", "nfp_ nfc_ nfu_", r"\bnf[pcu]_[A-Za-z0-9]{32,}"),
    ("vercel-token", "vercel_ vcp_ vck_", r"\b(?:vercel|vc[pk])_[A-Za-z0-9]{24,}"),
    ("render-key", "rnd_", r"\brnd_[A-Za-z0-9]{24,}"),
    ("tailscale-key", "tskey-", r"\btskey-[a-z]+-[A-Za-z0-9]{8,}-[A-Za-z0-9]{20,}"),
    ("cloudflare-key", "v1.0-", r"\bv1\.0-[0-9a-f]{24}-[0-9a-f]{100,}"),
    ("dynatrace-token", "dt0", r"\bdt0[a-z]\d{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    ("datadog-key", "ddapp_ ddp_", r"\bdd(?:app|p)_[A-Za-z0-9]{30,}"),
    ("newrelic-key", "NR", r"\bNR(?:AK|II|RA|IQ|SP|BR|JS)-[A-Za-z0-9_\-]{19,}"),
    ("sentry-token", "sntry", r"\bsntry[su]_[A-Za-z0-9+/=_]{40,}"),
    ("grafana-token", "glsa_ glc_ eyJrIjoi", r"\bgl(?:sa|c)_[A-Za-z0-9+/=_]{32,}|\beyJrIjoi[A-Za-z0-9+/=]{40,}"),
    ("pulumi-token", "pul-", r"\bpul-[0-9a-f]{40}"),
    ("terraform-token", ".atlasv1.", rf"\b[A-Za-z0-9]{{14}}\.atlasv1\.{_URL}{{50,}}"),
    ("vault-token", "hv", rf"\bhv[sbr]\.{_URL}{{20,}}"),
    ("doppler-token", "dp.", r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_\-]{2,35}\.)?[A-Za-z0-9]{40,44}"),
    ("1password-key", "A3- ops_eyJ",
     r"\bA3-[A-Z0-9]{6}-(?:[A-Z0-9]{6}|[A-Z0-9]{11})-(?:[A-Z0-9]{5}-){2,3}[A-Z0-9]{5}|\bops_eyJ[A-Za-z0-9_\-+/=]{60,}"),
    ("vault-token", "s.", r"\bs\.(?=[A-Za-z]{0,22}\d[A-Za-z]{0,22}\d)(?=[a-z0-9]{0,23}[A-Z])[A-Za-z0-9]{24}\b"),
    ("password-hash", "$apr1$ $1$ $2a$ $2b$ $2y$ $5$ $6$ $y$",
     r"\$(?:apr1|1|5|6|y)\$[./A-Za-z0-9=,]{1,40}\$[./A-Za-z0-9$]{20,120}|\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}"),
    ("fireworks-key", "fw_", r"\bfw_[A-Za-z0-9]{22,24}\b"),
    ("age-key", "AGE-SECRET-KEY-1", r"\bAGE-SECRET-KEY-1[A-Z0-9]{50,}"),
    ("shopify-token", "shp", r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    ("shippo-token", "shippo_", r"\bshippo_(?:live|test)_[0-9a-f]{40}"),
    ("easypost-key", "EZAK EZTK", r"\bEZ[AT]K[A-Za-z0-9]{50,}"),
    ("square-token", "sq0 EAAA", rf"\bsq0[a-z]{{3}}-{_URL}{{22,}}|\bEAAA{_URL}{{56,}}"),
    ("facebook-token", "EAA", r"\bEAA[A-Za-z0-9]{80,}"),
    ("paypal-token", "A21AA", rf"\bA21AA{_URL}{{60,}}"),
    ("braintree-token", "access_token$",
     r"access_token\$(?:production|sandbox)\$[a-z0-9]{16}\$[0-9a-f]{32}"),
    ("flutterwave-key", "FLWSECK", r"\bFLWSECK(?:_TEST)?-[0-9A-Za-z\-]{12,}"),
    ("duffel-token", "duffel_", rf"\bduffel_(?:live|test)_{_URL}{{40,}}"),
    ("plaid-token", "access-", rf"\baccess-(?:production|development|sandbox)-{_UUID}"),
    ("databricks-token", "dapi", r"\bdapi[0-9a-f]{32}\b"),
    ("planetscale-token", "pscale_", r"\bpscale_(?:tkn|pw|oauth|otkn)_[A-Za-z0-9_\-.=]{30,}"),
    ("supabase-key", "sbp_ sb_secret_", rf"\bsbp_(?:oauth_)?[0-9a-f]{{40}}|\bsb_secret_{_URL}{{20,}}"),
    ("telegram-token", ":AA", rf"\b\d{{8,10}}:AA{_URL}{{32,}}"),
    ("discord-token", ".", rf"\b[MNO]{_URL}{{23,27}}\.{_URL}{{6}}\.{_URL}{{27,}}"),
    ("postman-key", "PMAK-", r"\bPMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    ("linear-key", "lin_", r"\blin_(?:api|oauth)_[A-Za-z0-9]{32,}"),
    ("notion-token", "ntn_ secret_", r"\bntn_[A-Za-z0-9]{40,}|\bsecret_[A-Za-z0-9]{43}\b"),
    ("figma-token", "fig", rf"\bfig(?:d|o|u|or|ur)_{_URL}{{36,}}"),
    ("airtable-token", "pat", r"\bpat[A-Za-z0-9]{14}\.[0-9a-f]{64}"),
    ("hubspot-token", "pat-", rf"\bpat-[a-z]{{2}}\d-{_UUID}"),
    ("launchdarkly-key", "sdk- mob- api-", rf"\b(?:sdk|mob|api)-{_UUID}"),
    ("asana-token", "0/ 1/ 2/", r"\b[0-2]/\d{15,17}(?:/\d{15,17})?:[0-9a-f]{32}"),
    ("contentful-token", "CFPAT-", rf"\bCFPAT-{_URL}{{40,}}"),
    ("typeform-token", "tfp_", r"\btfp_[A-Za-z0-9_\-.]{40,}"),
    ("readme-key", "rdme_", r"\brdme_[a-z0-9]{60,}"),
    ("prefect-key", "pnu_ pnb_", r"\bpn[ub]_[A-Za-z0-9]{36}"),
    ("circleci-token", "CCI", r"\bCCI(?:PAT|PRJ)_[A-Za-z0-9]{20,}_[0-9a-f]{40}"),
    ("buildkite-token", "bk", r"\bbk(?:ua|a|t|ar|ct)_[A-Za-z0-9]{36,}"),
    ("sonar-token", "sqp_ squ_ sqa_", r"\bsq[pua]_[0-9a-f]{40}"),
    ("sourcegraph-token", "sgp_", r"\bsgp_(?:[0-9a-f]{16}_|local_)?[A-Za-z0-9]{40,}"),
    ("artifactory-key", "AKC", r"\bAKC[a-z0-9][A-Za-z0-9]{60,}"),
    ("octopus-key", "API-", r"\bAPI-[A-Z0-9]{25,}\b"),
    ("alibaba-key", "LTAI", r"\bLTAI[A-Za-z0-9]{12,24}\b"),
    ("mapbox-token", "sk.eyJ", rf"\bsk\.eyJ{_URL}{{40,}}\.{_URL}{{20,}}"),
    ("okta-token", "00", r"\b00(?=[A-Za-z0-9_\-]{0,39}[A-Z])(?=[A-Za-z0-9_\-]{0,39}[g-z])[A-Za-z0-9_\-]{40}\b"),
    ("groq-key", "gsk_", r"\bgsk_[A-Za-z0-9]{32,}"),
    ("duck-key", "duck_", rf"\bduck_{_URL}{{32,}}"),
    ("jwt", "eyJ", rf"\beyJ{_URL}{{8,1000}}\.eyJ{_URL}{{8,}}\.{_URL}*"),
    ("azure-key", "AccountKey= SharedAccessKey= sig= 7Q~ 8Q~ AZDO",
     r"(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40,}={0,2}|\bsig=[A-Za-z0-9%+/]{40,}"
     r"|[A-Za-z0-9_~.\-]{3}[78]Q~[A-Za-z0-9_~.\-]{31,}|[A-Za-z0-9]{70,80}AZDO[A-Za-z0-9]{4}"),
)  # fmt: skip
"""The name of a kind, what a text holds that holds one, and its form; `\\b` where a word has to begin."""


class Kind(NamedTuple):
    """One kind of secret. To look for its `marks` is a hundred times faster than its `pattern`."""

    name: str
    marks: tuple[str, ...]
    pattern: re.Pattern[str]
    is_word: bool

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where in `text` there are some."""
        if not any(mark in text for mark in self.marks):
            return
        at, retries = 0, _RETRIES
        while (found := self.pattern.search(text, at)) is not None:
            start, end = found.span()
            if self.is_word and not begins_word(text, start):  # but one may begin within it, behind an escape
                at, retries = (start + 1, retries - 1) if retries else (end, _RETRIES)
                continue
            yield start, end
            at, retries = end, _RETRIES


def _kind(name: str, marks: str, written: str) -> Kind:
    bare = re.sub(r"(^|\|)\\b", lambda at: at[1], written)
    return Kind(name, tuple(marks.split(" ")) if name != "private-key" else (marks,), re.compile(bare), bare != written)


KINDS: Final = tuple(_kind(*each) for each in _WRITTEN)


def begins_word(text: str, at: int) -> bool:
    """Whether a word begins there, also behind an escape in a text quoted in a text: `\\n`, `\\u0022`, `%3D`."""
    before = text[at - 1 : at]
    if not (before.isalnum() or before == "_"):
        return True
    return _ESCAPE.search(text[max(0, at - _LONGEST_ESCAPE) : at]) is not None


def without_marked(text: str) -> str:
    """The text without these secrets."""
    for kind in KINDS:
        spans = [*kind.spans(text)]
        for start, end in reversed(spans):
            text = f"{text[:start]}[REDACTED:{kind.name}]{text[end:]}"
    return text


_PREFIXED: Final = re.compile(
    r"([a-z][a-z0-9]{1,15})(?:[_\-][a-z0-9]{1,8}){0,3}[_\-]([A-Za-z0-9]{30,})(?:[_\-][A-Za-z0-9]+)?"
)
_HASHES: Final = re.compile(
    r"sha\d+|md5|blake\w*|hash|chunk|integrity|nonce|etag|rev|commit|build|v\d+|index|main|test"
)
_LEAST_EACH: Final = 2


def is_prefixed(run: str) -> bool:
    """Whether a run of letters and digits looks like a key of a maker that is not known: a word, and a long mixture."""
    found = _PREFIXED.fullmatch(run)
    if found is None or _HASHES.fullmatch(found[1]):
        return False
    mixture = found[2]
    counts = (sum(map(str.isdigit, mixture)), sum(map(str.isupper, mixture)), sum(map(str.islower, mixture)))
    return min(counts) >= _LEAST_EACH
