"""Which parameters of an address tell a page, and which only who came how."""

from __future__ import annotations

import re

# Parameters that say who came how, or in which language the frame is.
DROPPED_PARAMETERS = re.compile(
    r"(?:utm_\w+|pk_\w+|mtm_\w+|at_\w+|mc_[ce]id|_hs\w+|hsctatracking|wt[._]mc(?:_id)?|fbclid|gclid|dclid|gbraid|wbraid|msclkid|gclsrc|yclid|igshid|"
    r"xtor|cmpid|mkt_tok|preflang|phpsessid|jsessionid|aspsessionid\w*|cfid|cftoken)",
    re.IGNORECASE,
)
# Pages of the Commission's old site have one item under many addresses: what tells an item, and in which language it is.
ITEM_PARAMETERS = frozenset({"newsid", "practiceid", "eventsid", "pubid"})
LANGUAGE_PARAMETER = "langid"
ITEM_PAGE = re.compile(r"/main\.jsp$", re.IGNORECASE)


def telling_parameters(path: str, query: str) -> list[str]:
    """Return the parameters of a query that tell a page, as they are written, by name."""
    parameters = [part for part in query.split("&") if part and not DROPPED_PARAMETERS.fullmatch(_name(part))]
    items = [part for part in parameters if _name(part).lower() in ITEM_PARAMETERS]
    if items and ITEM_PAGE.search(path):
        parameters = [*(part for part in parameters if _name(part).lower() == LANGUAGE_PARAMETER), *items[:1]]
    return sorted(parameters, key=_name)


def _name(parameter: str) -> str:
    return parameter.partition("=")[0]
