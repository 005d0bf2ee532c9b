# mawk and gawk: fields, associative arrays, printf, functions, regular expressions, getline, pipes.
seq 1 5000 | awk '{ s += $1 * $1; c[$1 % 10]++ } END { printf "%d %.0f %s\n", NR, s, length(c); for (i = 0; i < 10; i++) printf "%d ", c[i]; print "" }'
for a in mawk gawk; do
    command -v $a >/dev/null || continue
    echo $a
    $a 'BEGIN { for (i = 0; i < 8; i++) printf "%.6f %.15g %e\n", sin(i), exp(i), log(i + 1); print int(-3.7), 7 % 3, -7 % 3, 2 ^ 10, 1e300 * 1e10, substr("hello", 2, 3), index("hello", "l") }'
    printf 'a:1:x\nb:2:y\nc:3:z\n' | $a -F: -v OFS=- '{ $2 = $2 * 10; print; n += $2 } END { print n, NR, NF }'
    $a 'function f(n) { return n < 2 ? n : f(n - 1) + f(n - 2) } BEGIN { print f(18) }'
    $a 'BEGIN { s = "the cat sat"; gsub(/[aeiou]/, "<&>", s); print s; print match("foobar", /o+/), RSTART, RLENGTH; n = split("a,b,c", p, ","); print n, p[3]; print toupper("abc") tolower("DEF") }'
    $a 'BEGIN { while (("seq 3" | getline x) > 0) print "got", x; print "sorted" | "sort -r"; print "lines" | "sort -r"; close("sort -r"); print system("exit 3") }'
    printf 'one two\nthree\n\nfour five six\n' | $a 'NF { w += NF } /t/ { print NR ": " $NF } END { print w }'
    printf 'p1 l1\np1 l2\n\np2 l1\n' | $a 'BEGIN { RS = "" } { print NR, NF, $1 }'
    $a 'BEGIN { printf "%5.2f|%-6s|%06d|%x|%c|%s\n", 3.14159, "ab", 42, 255, 65, 0.1 + 0.2; print 1e6, 1e17, 0.1, 100000 * 100000, 1 / 3; OFMT = "%.2f"; print 3.14159 }'
    $a 'BEGIN { x["a", 1] = 1; for (k in x) { split(k, q, SUBSEP); print q[1], q[2] }; if (("a", 1) in x) print "in"; delete x["a", 1]; print length(x) }'
    $a 'BEGIN { srand(5); a = rand(); srand(5); print (a == rand()); print substr("x", 0), substr("hello", -1, 3) "|"; print length(), 1 == 1.0, "10" < "9", 10 < 9, "a" > "B" }' </dev/null
    seq 1 30000 | $a '{ k = $1 * 7919 % 1009; h[k] = h[k] $1 } END { for (k in h) t += length(h[k]); print t }'
    echo | $a '{ exit 7 }'; echo $?
done
gawk 'BEGIN { n = split("c b a", v); asort(v); print v[1], v[3]; print strftime("%F", 0, 1), gensub(/(.)b/, "\\1B", "g", "abcb"), strtonum("0x1F"), and(12, 10), lshift(1, 40); PROCINFO["sorted_in"] = "@ind_str_asc"; x["q"]; x["b"]; for (k in x) print k }' 2>/dev/null || echo no gawk
