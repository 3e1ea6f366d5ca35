/**
 * Unit ids that follow a pattern, one a line: id, unit, and for prefixed units the power of the prefix that the value already has.
 * Ids and texts are Grafana's (recorded from @grafana/data, see fixtures/).
 */

/** The unit is written behind, as it is. A leading `_` stands for a space. */
export const PLAIN = `
percent %
humidity _%H
dB _dB
pixel _px
accMS2 _m/sec²
accFS2 _f/sec²
accG _g
degree _°
radian _rad
grad _grad
arcmin _arcmin
arcsec _arcsec
areaM2 _m²
areaF2 _ft²
areaMI2 _mi²
acres _ac
hectares _ha
ppm _ppm
conppb _ppb
conngm3 _ng/m³
conngNm3 _ng/Nm³
conμgm3 _μg/m³
conμgNm3 _μg/Nm³
conmgm3 _mg/m³
conmgNm3 _mg/Nm³
congm3 _g/m³
congNm3 _g/Nm³
conmgdL _mg/dL
conmmolL _mmol/L
dBm _dbm
flowgpm _gpm
flowcms _cms
flowcfs _cfs
flowcfm _cfm
litreh _L/h
flowlpm _L/min
flowmlpm _mL/min
lux _lux
masslb _lb
masst _t
lengthcm _cm
lengthin _in
lengthft _ft
lengthmi _mi
pressurehpa _hPa
pressurekpa _kPa
pressurehg _"Hg
rotrpm _rpm
rotrads _rad/s
rotdegs _°/s
celsius _°C
fahrenheit _°F
kelvin _K
velocityms _m/s
velocitykmh _km/h
velocitymph _mph
velocityknot _kn
m3 _m³
Nm3 _Nm³
dm3 _dm³
gallons _gal
`;

/** Scaled by 1000: k, M, G, ... */
export const SI_UNITS = `
sishort - 0
candela cd 0
flops FLOPS 0
mflops FLOPS 2
gflops FLOPS 3
tflops FLOPS 4
pflops FLOPS 5
eflops FLOPS 6
zflops FLOPS 7
yflops FLOPS 8
decbytes B 0
decbits b 0
deckbytes B 1
decmbytes B 2
decgbytes B 3
dectbytes B 4
decpbytes B 5
pps p/s 0
Bps B/s 0
bps b/s 0
KBs B/s 1
Kbits b/s 1
MBs B/s 2
Mbits b/s 2
GBs B/s 3
Gbits b/s 3
TBs B/s 4
Tbits b/s 4
PBs B/s 5
Pbits b/s 5
watt W 0
kwatt W 1
megwatt W 2
gwatt W 3
mwatt W -1
Wm2 W/m² 0
voltamp VA 0
kvoltamp VA 1
voltampreact VAr 0
kvoltampreact VAr 1
watth Wh 0
watthperkg Wh/kg 0
kwatth Wh 1
kwattm W-Min 1
mwatth Wh 2
amph Ah 0
kamph Ah 1
mamph Ah -1
joule J 0
ev eV 0
amp A 0
kamp A 1
mamp A -1
volt V 0
kvolt V 1
mvolt V -1
mohm Ω -1
ohm Ω 0
kohm Ω 1
Mohm Ω 2
farad F 0
µfarad F -2
nfarad F -3
pfarad F -4
ffarad F -5
henry H 0
mhenry H -1
µhenry H -2
lumens Lm 0
forceNm Nm 0
forcekNm Nm 1
forceN N 0
forcekN N 1
Hs H/s 0
KHs H/s 1
MHs H/s 2
GHs H/s 3
THs H/s 4
PHs H/s 5
EHs H/s 6
massmg g -1
massg g 0
masskg g 1
lengthmm m -1
lengthm m 0
lengthkm m 1
pressurembar bar -1
pressurebar bar 0
pressurekbar bar 1
pressurepa Pa 0
radbq Bq 0
radci Ci 0
radgy Gy 0
radrad rad 0
radsv Sv 0
radmsv Sv -1
radusv Sv -2
radrem rem 0
radexpckg C/kg 0
radr R 0
radsvh Sv/h 0
radmsvh Sv/h -1
radusvh Sv/h -2
rothz Hz 0
rotkhz Hz 1
rotmhz Hz 2
rotghz Hz 3
hertz Hz 0
mlitre L -1
litre L 0
`;

/** Scaled by 1024: Ki, Mi, Gi, ... */
export const IEC_UNITS = `
bytes B 0
bits b 0
kbytes B 1
mbytes B 2
gbytes B 3
tbytes B 4
pbytes B 5
binBps B/s 0
binbps b/s 0
KiBs B/s 1
Kibits b/s 1
MiBs B/s 2
Mibits b/s 2
GiBs B/s 3
Gibits b/s 3
TiBs B/s 4
Tibits b/s 4
PiBs B/s 5
Pibits b/s 5
`;

/** Counts: K, M, B, T before the unit. */
export const COUNTED = `
cps c/s
ops ops/s
reqps req/s
rps rd/s
wps wr/s
iops io/s
eps evt/s
mps msg/s
recps rec/s
rowsps rows/s
cpm c/m
opm ops/m
reqpm req/m
rpm rd/m
wpm wr/m
epm evts/m
mpm msgs/m
recpm rec/m
rowspm rows/m
`;

/** Signs; `after` stands behind the number. */
export const CURRENCIES = `
currencyUSD $
currencyGBP £
currencyEUR €
currencyJPY ¥
currencyRUB ₽
currencyUAH ₴
currencyBRL R$
currencyDKK kr after
currencyISK kr after
currencyNOK kr after
currencySEK kr after
currencyCZK czk
currencyCHF CHF
currencyPLN PLN
currencyBTC ฿
currencymBTC mBTC
currencyμBTC μBTC
currencyZAR R
currencyINR ₹
currencyKRW ₩
currencyIDR Rp
currencyPHP PHP
currencyVND đ after
currencyTRY ₺ after
currencyMYR RM
currencyXPF XPF
currencyBGN BGN
currencyPYG ₲
currencyUYU UYU
currencyILS ₪
`;
