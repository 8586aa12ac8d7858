"""Tax ids: whether a number has the form that its type asks for.

This is a check of the format and of nothing more: no check digit is counted, and no register is
asked whether the number was ever issued, or to whom. Types are named as Stripe names them.
"""

import re
from string import ascii_lowercase, ascii_uppercase

from holdfast.errors import InvalidField

_UNITED_KINGDOM = r"\d{9}|\d{12}|GD[0-4]\d\d|HA[5-9]\d\d"
_SPAIN = r"[A-Z]\d{7}[A-Z\d]|\d{8}[A-Z]"

MEMBER_STATES = {
    "AT": r"U\d{8}",
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"\d{9}",
    "DK": r"\d{8}",
    "EE": r"\d{9}",
    "EL": r"\d{9}",
    "ES": _SPAIN,
    "FI": r"\d{8}",
    "FR": r"[\dA-HJ-NP-Z]{2}\d{9}",
    "HR": r"\d{11}",
    "HU": r"\d{8}",
    "IE": r"\d[\dA-Z+*]\d{5}[A-Z]|\d{7}[A-Z]{2}",
    "IT": r"\d{11}",
    "LT": r"\d{9}|\d{12}",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"\d{9}B\d{2}",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"\d{2,10}",
    "SE": r"\d{12}",
    "SI": r"\d{8}",
    "SK": r"\d{10}",
    "XI": _UNITED_KINGDOM,
}
"""What follows the prefix of a European VAT number. Greece is EL there, Northern Ireland XI."""

FORMS = {
    "ae_trn": r"\d{15}",
    "ar_cuit": r"\d{11}",
    "au_abn": r"\d{11}",
    "au_arn": r"\d{12}",
    "bg_uic": r"\d{9}",
    "bh_vat": r"\d{15}",
    # Numbers with letters are given out since July 2026; the check digits stay digits.
    "br_cnpj": r"[A-Z\d]{12}\d{2}",
    "br_cpf": r"\d{11}",
    "ca_bn": r"\d{9}",
    "ca_gst_hst": r"\d{9}RT\d{4}",
    "ca_qst": r"\d{10}TQ\d{4}",
    "ch_uid": r"CHE\d{9}",
    "ch_vat": r"CHE\d{9}(?:MWST|TVA|IVA|TPV)",
    "cl_tin": r"\d{7,8}[\dK]",
    "cn_tin": r"[\dA-HJ-NPQRTUWXY]{18}",
    "co_nit": r"\d{9,10}",
    "ec_ruc": r"\d{13}",
    "eg_tin": r"\d{9}",
    "es_cif": _SPAIN,
    "eu_oss_vat": r"EU\d{9}",
    "eu_vat": "|".join(f"{prefix}(?:{rest})" for prefix, rest in MEMBER_STATES.items()),
    "gb_vat": f"GB(?:{_UNITED_KINGDOM})",
    "ge_vat": r"\d{9}",
    "hk_br": r"\d{8}",
    "hr_oib": r"\d{11}",
    "hu_tin": r"\d{11}",
    "id_npwp": r"\d{15,16}",
    "il_vat": r"\d{9}",
    "in_gst": r"\d{2}[A-Z]{5}\d{4}[A-Z][A-Z1-9][A-Z][A-Z\d]",
    "is_vat": r"\d{5,6}",
    "jp_cn": r"\d{13}",
    "jp_trn": r"T\d{13}",
    "ke_pin": r"[AP]\d{9}[A-Z]",
    "kr_brn": r"\d{10}",
    "kz_bin": r"\d{12}",
    "li_uid": r"CHE\d{9}",
    "mx_rfc": r"[A-ZÑ&]{3,4}\d{6}[A-Z\d]{3}",
    "no_vat": r"\d{9}MVA",
    "nz_gst": r"\d{8,9}",
    "pe_ruc": r"\d{11}",
    "pl_nip": r"\d{10}",
    "rs_pib": r"\d{9}",
    "ru_inn": r"\d{10}|\d{12}",
    "sa_vat": r"\d{15}",
    "sg_gst": r"[A-Z\d]{2}\d{7}[A-Z\d]",
    "si_tin": r"\d{8}",
    "th_vat": r"\d{13}",
    "tr_tin": r"\d{10}",
    "tw_vat": r"\d{8}",
    "us_ein": r"\d{9}",
    "uy_ruc": r"\d{12}",
    "za_vat": r"4\d{9}",
}
"""What a tax id of each type looks like without the signs that divide it."""

# Letters are raised one by one, not by `upper`, which makes two letters of a sharp s.
_WRITTEN = str.maketrans(f"{ascii_lowercase}ñ", f"{ascii_uppercase}Ñ", " .-/")


def normalised(type_: str, text: str) -> str:
    """The tax id in upper case, without spaces, dots, hyphens and slashes.

    >>> normalised("eu_vat", "de 123.456.789"), normalised("us_ein", "12-3456789")
    ('DE123456789', '123456789')

    Raises:
        InvalidField: There is no such type; or the text has not the form of that type.
    """
    form = FORMS.get(type_)
    if form is None:
        raise InvalidField("tax_id_type", "not a type of tax id")
    tax_id = text.translate(_WRITTEN)
    if not re.fullmatch(form, tax_id, re.ASCII):
        raise InvalidField("tax_id", f"has not the form of {type_}")
    return tax_id
