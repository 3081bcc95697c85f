"""Keys and tokens of well-known services, and private keys.

The forms are those that the services document, or that their own secret scanning announces. A service's key has
a prefix, so that its row is: the service, the prefix, what follows it.
"""

from homeward.privacy.detector import Candidate, Detector, when
from homeward.privacy.findings import Kind

_WORD = "[A-Za-z0-9]"
_URL = "[A-Za-z0-9_-]"

_PREFIXED = (
    ("OpenAI, Anthropic, OpenRouter, DeepSeek, Moonshot", "sk-", _URL + "{20,}"),
    ("GitHub", "ghp_", _WORD + "{36,}"),
    ("GitHub", "gho_", _WORD + "{36,}"),
    ("GitHub", "ghu_", _WORD + "{36,}"),
    ("GitHub", "ghr_", _WORD + "{36,}"),
    ("GitHub", "ghs_", r"[A-Za-z0-9._-]{35,}[A-Za-z0-9]"),
    ("GitHub", "github_pat_", "[A-Za-z0-9_]{22,}"),
    ("GitLab", "gl(?:pat|dt|rt|rtr|ptt|cbt|soat|ft|imt|agent|oas|ffct)-", "[A-Za-z0-9_.-]{19,}[A-Za-z0-9_-]"),
    ("Slack", "xox[abeoprs](?:[.]xox[bp])?-", "[A-Za-z0-9-]{10,}"),
    ("Slack", "xapp-", "[0-9]-[A-Za-z0-9-]{10,}"),
    ("Stripe", "[sr]k_(?:live|test|prod)_", _WORD + "{10,}"),
    ("Stripe", "whsec_", "[A-Za-z0-9+/=]{24,}"),
    ("Google", "AIza", _URL + "{35}"),
    ("Google", "AQ[.]Ab", _URL + "{30,}"),
    ("Google", "GOCSPX-", _URL + "{20,}"),
    ("Google", "ya29[.]", _URL + "{20,}"),
    ("Amazon", "(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])", r"[A-Z0-9]{16}\b"),
    ("Amazon", "ABSK", "[A-Za-z0-9+/]{100,}={0,2}"),
    ("Hugging Face", "hf_", _WORD + "{30,}"),
    ("Hugging Face", "api_org_", _WORD + "{30,}"),
    ("npm", "npm_", _WORD + "{36,}"),
    ("PyPI", "pypi-", _URL + "{50,}"),
    ("RubyGems", "rubygems_", "[0-9a-f]{48}"),
    ("Docker", "dckr_(?:pat|oat)_", _URL + "{20,}"),
    ("Twilio", "(?:AC|SK)[0-9a-f]", r"[0-9a-f]{31}\b"),
    ("SendGrid", "SG[.]", _URL + "{16,32}[.]" + _URL + "{16,64}"),
    ("Databricks", "dapi", "[0-9a-f]{32}(?:-[0-9])?"),
    ("DigitalOcean", "do[opr]_v1_", "[0-9a-f]{64}"),
    ("Groq", "gsk_", _WORD + "{40,}"),
    ("xAI", "xai-", _WORD + "{40,}"),
    ("Perplexity", "pplx-", _WORD + "{32,}"),
    ("Replicate", "r8_", _WORD + "{30,}"),
    ("NVIDIA", "nvapi-", _URL + "{40,}"),
    ("Tavily", "tvly-", _URL + "{24,}"),
    ("LangSmith", "lsv2_(?:pt|sk)_", "[0-9a-f_]{32,}"),
    ("Notion", "ntn_", _WORD + "{40,}"),
    ("Linear", "lin_(?:api|oauth)_", _WORD + "{32,}"),
    ("Shopify", "shp(?:at|ca|pa|ss)_", "[0-9a-fA-F]{32}"),
    ("Postman", "PMAK-", "[0-9a-f]{24}-[0-9a-f]{34}"),
    ("New Relic", "NR(?:AK|II|JS)-", "[A-Za-z0-9-]{19,}"),
    ("PlanetScale", "pscale_(?:tkn|oauth|pw)_", "[A-Za-z0-9_=.-]{32,}"),
    ("Doppler", "dp[.](?:pt|st|ct|sa|scim|audit)[.]", "[A-Za-z0-9_.-]{40,}"),
    ("HashiCorp", "hv[bsr][.]", _URL + "{24,}"),
    ("Grafana", "gl(?:sa|c)_", "[A-Za-z0-9+/_=]{32,}"),
    ("Atlassian", "AT(?:ATT3|CTT3|BB)", "[A-Za-z0-9_=-]{24,}"),
    ("Square", "(?:EAAA|sq0(?:atp|csp)-)", _URL + "{22,}"),
    ("Meta", "EAA[A-Z]", _WORD + "{60,}"),
    ("Supabase", "(?:sbp_|sb_secret_)", _URL + "{20,}"),
    ("Figma", "figd_", _URL + "{30,}"),
    ("Heroku", "HRKU-AA", _URL + "{40,}"),
    ("Sentry", "sntry[su]_", "[A-Za-z0-9+/=_-]{40,}"),
    ("Mailgun", "key-", r"[0-9a-f]{32}\b"),
    ("1Password", "ops_eyJ", "[A-Za-z0-9+/=_-]{100,}"),
    ("Fly.io", "f(?:m[12][ar]?|o1)_", "[A-Za-z0-9+/=_-]{40,}"),
    ("age", "AGE-SECRET-KEY-1", "[0-9A-Z]{58}"),
    ("Alibaba Cloud", "LTAI", _WORD + r"{12,26}\b"),
    ("Tencent Cloud", "AKID", _WORD + r"{32}\b"),
    ("Naver Cloud", "ncp_iam_", _WORD + "{20,}"),
    ("Kakao", r"KakaoAK\s+", r"[0-9a-f]{32}\b"),
)

_OTHERS = (  # and what has to be in it
    (r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?", r"\.eyJ"),  # JSON Web Token
    (r"\b[0-9]{8,10}:[A-Za-z0-9_-]{35}\b", "[0-9]{8}:[A-Za-z0-9_-]"),  # Telegram bot
    (
        r"\b[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}",  # Discord bot
        r"\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27}",
    ),
    (r"\bdiscord(?:app)?\.com/api/webhooks/[0-9]{17,20}/([A-Za-z0-9_-]{60,})", r"\.com/api/webhooks/"),
    (r"\bhooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9+/]{20,})", r"hooks\.slack\.com/"),
    (r"\b[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}\b", "JQQJ99"),  # Azure's keys that can be told
    (r"\b[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}", "[0-9]Q~"),  # secret of an app in Microsoft Entra
    (
        r"(?i)\b(?:AccountKey|SharedAccessKey|SharedSecret)\s{0,3}=\s{0,3}([A-Za-z0-9+/]{40,100}={0,2})",
        r"(?i)(?:AccountKey|SharedAccessKey|SharedSecret)\s{0,3}=",
    ),
    (r"(?i)[?&]sig=([A-Za-z0-9%+/]{40,120}={0,2})", "(?i)[?&]sig="),  # shared access signature
    (r"(?i)\b1//0[A-Za-z0-9_-]{30,}", "1//0"),  # Google's refresh token
    (r"\b[0-9a-f]{32}-us[0-9]{1,2}\b", "-us[0-9]"),  # Mailchimp
    (r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,}", r"\.atlasv1\."),  # Terraform
    (r"\bpat[A-Za-z0-9]{14}\.[0-9a-f]{64}\b", r"pat[A-Za-z0-9]{14}\."),  # Airtable
    (r"(?i)\bx-naver-client-secret[\"'\s:=]{1,6}([A-Za-z0-9_]{8,20})\b", "(?i)x-naver-client-secret"),
)

_NAMED = (
    r"(?i:(?:api|app|rest|secret|access|private|account|subscription|client|auth|service|admin|bearer|refresh|license)"
    r"[_\s-]?(?:api)?[_\s-]?(?:key|token|secret|키|토큰)(?:[_\s-]?(?:id|value))?"
    r"|(?:\b|_)(?:token|secret|apikey|authorization)|인증\s?키|시크릿|토큰)"
)
_NAME_ENDS = r"(?i:(?:key|token|secret|authorization|키|토큰|시크릿)(?:[_\s-]?(?:id|value))?)"
_IS = (
    r"[\"'`]?(?:\s{0,3}(?:=>|:=|[:=(,]|\bis\b|은|는|이|가)\s{0,3}|\s{1,3})"
    r"(?:(?i:bearer|basic|token|key)\s{1,3})?[\"'`]?"
)
_VALUE = r"([A-Za-z0-9+/.~][A-Za-z0-9_+/.=~-]{15,})"


def _at_random(candidate: Candidate) -> bool:
    """Whether a machine made it: no words, no filler such as `xxxx`."""
    text = candidate.text
    pieces = text.translate(str.maketrans("-_.+/=~", "       ")).split()
    return len(set(text)) >= 10 and any(_mixed(piece) for piece in pieces)


def _mixed(piece: str) -> bool:
    digits = sum(map(str.isdecimal, piece))
    capitals = sum(map(str.isupper, piece[1:]))
    return len(piece) >= 8 and (0 < digits < len(piece) or 2 < capitals < len(piece) - 1)


def _named_key(candidate: Candidate) -> bool:
    """A value beside such a name; a path to it in code has no long piece with digits."""
    text = candidate.text
    pieces = text.translate(str.maketrans("-_.+/=~", "       ")).split()
    mixed = any(len(piece) >= 8 and 2 <= sum(map(str.isdecimal, piece)) < len(piece) for piece in pieces)
    return mixed and len(set(text)) >= 8 and not candidate.precedes(r"\A[(\[]", 1)


def _prefixed(prefix: str, body: str) -> Detector:
    return Detector(kind=Kind.API_KEY, expression=rf"(?:\b|_)({prefix}{body})", check=when(_at_random), hint=prefix)


KEYS = (
    Detector(
        kind=Kind.PRIVATE_KEY,
        expression=r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----"
        r"(?:-{0,4}[^-])*(?:-----END [A-Z0-9 ]{0,60}-----)?",
        hint="PRIVATE KEY",
    ),
    Detector(
        kind=Kind.PRIVATE_KEY,
        expression=r"(?s)PuTTY-User-Key-File-[0-9]:.*",
        hint="PuTTY-User-Key-File-",
    ),
    *(_prefixed(prefix, body) for _, prefix, body in _PREFIXED),
    *(Detector(kind=Kind.API_KEY, expression=expression, hint=hint) for expression, hint in _OTHERS),
    Detector(
        kind=Kind.API_KEY,
        expression=_NAMED + _IS + _VALUE,
        check=when(_named_key),
        hint=_NAME_ENDS + _IS + _VALUE,
    ),
    Detector(
        kind=Kind.API_KEY,
        expression=r"(?i)(?:aws|amazon)[\w .-]{0,20}(?:secret|key)[\w .-]{0,20}[\"'\s:=]{1,6}"
        r"([A-Za-z0-9+/]{40})(?:[^A-Za-z0-9+/=]|\z)",
        hint="(?i)aws|amazon",
    ),
)
