"""What the exports of three CRMs look like: names of columns, and values whose meaning the CRM itself gives.

Salesforce: labels of opportunity reports and field names of its API (Field Reference, Opportunity). HubSpot: labels and
internal names of the default deal properties. Dynamics 365: display and logical names of the opportunity table. Names
are compared without regard to upper case.

Left out: columns and values that a company has added or renamed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

CrmName = Literal["Salesforce", "HubSpot", "Dynamics"]
FEWEST_SIGNS = 2
"""Column names that only one CRM has, by which it is recognised."""


@dataclass(frozen=True)
class Crm:
    """How one CRM names things."""

    name: CrmName
    signs: tuple[str, ...]
    """columns that the others do not have"""
    columns: dict[str, tuple[str, ...]]
    """field of the mapping to the columns that have it, the better one first"""
    words: dict[str, tuple[str, ...]]
    """won, lost and open to the values of the result column that mean it"""


SALESFORCE = Crm(
    "Salesforce",
    signs=(
        "Opportunity ID", "Opportunity Name", "Opportunity Owner", "Opportunity Record Type", "Lead Source",
        "StageName", "CloseDate", "CreatedDate", "IsWon", "IsClosed", "LeadSource", "AccountId", "OwnerId",
        "Fiscal Period",
    ),
    columns={
        "id": ("Opportunity ID", "Id"),
        "amount": ("Amount",),
        "currency_column": ("Amount Currency", "Opportunity Currency", "CurrencyIsoCode"),
        "result": ("Stage", "StageName"),
        "is_won": ("Won", "IsWon"),
        "is_closed": ("Closed", "IsClosed"),
        "partner_name": ("Partner Account", "Partner Account: Account Name", "PartnerAccount.Name", "PartnerAccountId"),
        "created": ("Created Date", "CreatedDate"),
        "closed": ("Close Date", "CloseDate"),
        "stage": ("Stage", "StageName"),
    },
    words={"won": ("Closed Won",), "lost": ("Closed Lost",), "open": ()},
)  # fmt: skip
HUBSPOT = Crm(
    "HubSpot",
    signs=(
        "Deal Name", "Deal Stage", "Deal Type", "Deal owner", "Create Date", "Is Closed Won", "Is Deal Closed?",
        "dealname", "dealstage", "createdate", "closedate", "hs_object_id", "hs_is_closed_won",
    ),
    columns={
        "id": ("Record ID", "Deal ID", "hs_object_id"),
        "amount": ("Amount",),
        "currency_column": ("Currency", "deal_currency_code"),
        "result": ("Deal Stage", "dealstage"),
        "is_won": ("Is Closed Won", "hs_is_closed_won"),
        "is_closed": ("Is Deal Closed?", "Is Closed", "hs_is_closed"),
        "created": ("Create Date", "createdate"),
        "closed": ("Close Date", "closedate"),
        "stage": ("Deal Stage", "dealstage"),
    },
    words={"won": ("Closed Won", "closedwon"), "lost": ("Closed Lost", "closedlost"), "open": ()},
)  # fmt: skip
DYNAMICS = Crm(
    "Dynamics",
    signs=(
        "(Do Not Modify) Opportunity", "Topic", "Potential Customer", "Est. Revenue", "Est. Close Date",
        "Actual Revenue", "Actual Close Date", "Status Reason", "Created On", "estimatedvalue", "actualvalue",
        "actualclosedate", "statecode", "createdon", "opportunityid",
    ),
    columns={
        "id": ("(Do Not Modify) Opportunity", "opportunityid"),
        # Of lost deals the actual revenue is 0; won ones take over the estimated one unless somebody corrects it.
        "amount": ("Est. Revenue", "Estimated Revenue", "estimatedvalue", "Actual Revenue", "actualvalue"),
        "currency_column": ("Currency", "transactioncurrencyid"),
        "result": ("Status", "statecode"),
        "created": ("Created On", "createdon"),
        "closed": ("Actual Close Date", "actualclosedate"),
        "stage": ("Sales Stage", "Pipeline Phase", "salesstage", "stepname"),
    },
    words={"won": ("Won",), "lost": ("Lost",), "open": ("Open",)},
)  # fmt: skip
CRMS = (SALESFORCE, HUBSPOT, DYNAMICS)


def recognise_crm(header: Sequence[str]) -> Crm | None:
    """The CRM whose own column names a header has; None if no CRM, or more than one, fits best."""
    columns = {column.casefold() for column in header}
    signs = {crm.name: sum(sign.casefold() in columns for sign in crm.signs) for crm in CRMS}
    most = max(signs.values())
    best = [crm for crm in CRMS if signs[crm.name] == most]
    return best[0] if most >= FEWEST_SIGNS and len(best) == 1 else None


def column_of(field: str, header: Sequence[str], crms: Sequence[Crm] = CRMS) -> str | None:
    """The column of the header that has a field of the mapping, if these CRMs have one and it stands there once."""
    by_name = _columns_by_name(tuple(header))
    for name in (name for crm in crms for name in crm.columns.get(field, ())):
        columns = by_name.get(name.casefold(), [])
        if len(columns) == 1:
            return columns[0]
    return None


@lru_cache(4)
def _columns_by_name(header: tuple[str, ...]) -> dict[str, list[str]]:
    by_name: dict[str, list[str]] = {}
    for column in header:
        by_name.setdefault(column.casefold(), []).append(column)
    return by_name


def count_known_columns(header: Sequence[str]) -> int:
    """Number of columns of a header that some CRM has."""
    names = {name.casefold() for crm in CRMS for group in (crm.signs, *crm.columns.values()) for name in group}
    return sum(column.casefold() in names for column in header)
