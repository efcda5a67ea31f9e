"""Words that programmers use for the same thing: a short list that was read and agreed to, not learnt.

Each line is a group; a word may be in several. Only words whose meaning in code is common to nearly every project are
here: what is particular to one is learnt from it (`associations`).
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from rubber_duck.search.stem import stem

WEIGHT: Final = 0.15
"""What a word of the same group counts beside the one that was asked for."""

_GROUPS: Final = """
add append insert push
array list sequence vector
async asynchronous coroutine await
auth authenticate authentication login signin credential
authorize authorization permission access allow
average mean
begin start init initialize
bool boolean flag
build create make generate construct
cache memoize
call invoke
cancel abort stop
char character letter
check is test verify validate ensure
clean clear reset empty flush
clone copy duplicate deepcopy
close shutdown dispose
color colour
combine concat concatenate join merge
command cmd shell
compare diff equal
compress zip gzip
config configuration setting option preference
connect connection socket
convert cast transform to parse
count len length number size total
csv delimiter
current now today
database db sql sqlite
date datetime day time timestamp
decode deserialize load loads parse unmarshal
decorator wraps wrapper
default fallback
delete remove del drop discard erase unlink
dict dictionary hash map mapping
directory dir folder path
display print show render write
distance norm
download fetch get retrieve request
element item entry member
empty blank null none missing
encode serialize dump dumps marshal
encrypt cipher crypto
env environment
equal same identical eq
error exception failure
escape quote
execute run
exists exist isfile isdir
exit quit
extension suffix ext
filter select grep
find search locate lookup match
first head begin
flatten ravel
float double decimal
folder directory dir
format fmt template
function func method callable
get read fetch retrieve
handler callback listener
header headers
image img picture photo
index position offset
int integer number
iterate loop each traverse
json dumps loads
key keys
last tail end
limit max cap
line row
link url href uri
log logger logging
lower lowercase downcase
matrix ndarray numpy
max maximum largest highest biggest
message msg
min minimum smallest lowest
multiply product
normalize scale
number num numeric digit
object instance
open file read
order sort sorted
pad fill ljust rjust zfill
page paginate pagination
param parameter argument arg
password passwd secret
pick choose choice sample random
plot chart figure graph
pop dequeue
previous prev before
process subprocess
queue fifo
random rand shuffle
read load
receive recv
regex regexp pattern re
rename move mv
replace substitute sub
request req http
response resp reply
reverse reversed invert
root sqrt
round ceil floor
save store write persist dump
send post emit
set unique distinct
slice substring sub
sleep wait delay
space whitespace blank strip
split tokenize partition
stdin input
stdout output
string str text
strip trim
sum add total
temp temporary tmp
thread threading concurrent
transpose rotate
tuple pair
type kind class
unicode utf8 encoding
unit convert
update modify change edit
upper uppercase upcase
user account member
variable var
version release
warn warning
week day
window screen
word token
xml etree element
yaml yml
"""


def thesaurus() -> dict[str, tuple[str, ...]]:
    """Stem → the stems of the words in its groups, in order."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for line in _GROUPS.split("\n"):
        stems = list(dict.fromkeys(map(stem, line.split())))
        for each in stems:
            found[each].update((other, None) for other in stems if other != each)
    return {each: tuple(others) for each, others in found.items()}
