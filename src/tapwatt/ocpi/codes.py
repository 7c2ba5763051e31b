"""Codes that OCPI takes from ISO 4217, and which time zone a country has where it has one.

Currencies: list one, 2026, without metals, funds and tests. Zones: IANA time zone database 2025b; countries
with several zones are left out, as a country does not say which.
"""

_CURRENCIES = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD
    CDF CHF CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
    GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT
    LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR
    NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
    STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYI UYU UYW UZS VED VES VND VUV WST
    XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CURRENCIES.split())

_ZONES = """
    AT AUT Europe/Vienna | BE BEL Europe/Brussels | BG BGR Europe/Sofia
    CH CHE Europe/Zurich | CZ CZE Europe/Prague | DE DEU Europe/Berlin
    DK DNK Europe/Copenhagen | EE EST Europe/Tallinn | FI FIN Europe/Helsinki
    FR FRA Europe/Paris | GB GBR Europe/London | GR GRC Europe/Athens
    HR HRV Europe/Zagreb | HU HUN Europe/Budapest | IE IRL Europe/Dublin
    IS ISL Atlantic/Reykjavik | IT ITA Europe/Rome | LI LIE Europe/Vaduz
    LT LTU Europe/Vilnius | LU LUX Europe/Luxembourg | LV LVA Europe/Riga
    MT MLT Europe/Malta | NL NLD Europe/Amsterdam | NO NOR Europe/Oslo
    PL POL Europe/Warsaw | RO ROU Europe/Bucharest | SE SWE Europe/Stockholm
    SI SVN Europe/Ljubljana | SK SVK Europe/Bratislava | AL ALB Europe/Tirane
    BA BIH Europe/Sarajevo | ME MNE Europe/Podgorica | MK MKD Europe/Skopje
    RS SRB Europe/Belgrade | TR TUR Europe/Istanbul | IL ISR Asia/Jerusalem
    AE ARE Asia/Dubai | SA SAU Asia/Riyadh | QA QAT Asia/Qatar
    KW KWT Asia/Kuwait | BH BHR Asia/Bahrain | OM OMN Asia/Muscat
    JO JOR Asia/Amman | IN IND Asia/Kolkata | LK LKA Asia/Colombo
    TH THA Asia/Bangkok | VN VNM Asia/Ho_Chi_Minh | SG SGP Asia/Singapore
    MY MYS Asia/Kuala_Lumpur | PH PHL Asia/Manila | HK HKG Asia/Hong_Kong
    TW TWN Asia/Taipei | JP JPN Asia/Tokyo | KR KOR Asia/Seoul
"""


def _by_code() -> dict[str, str]:
    rows = [row.split() for line in _ZONES.strip().splitlines() for row in line.split("|")]
    return {code: zone for two, three, zone in rows for code in (two, three)}


ZONES = _by_code()
"""Alpha-2 and alpha-3 code of a country → its one IANA time zone."""
