# perl: regular expressions, sort, pack, sprintf, hashes, closures, local files.
# program-test: modes=chroot,overlay
perl <<'END'
use strict; use warnings;
my $text = "The year 1999 and 2024; mail a.b\@example.org, x=1, yy=22";
print join("|", $text =~ /\b(\d{4})\b/g), "\n";
my %kv = $text =~ /(\w+)=(\d+)/g; print "$_=$kv{$_}\n" for sort keys %kv;
(my $t = $text) =~ s/(\d+)/<$1>/g; print "$t\n";
print "balanced\n" if "(a(b)c)" =~ /^(\((?:[^()]++|(?1))*\))$/;
print join(",", map { sprintf "%b", $_ } 1 .. 8), "\n";
print join(" ", sort { $b <=> $a } map { $_ * 7919 % 1000 } 1 .. 30), "\n";
print unpack("H*", pack("NnCa3 w d< f> q> A5", 1, 2, 3, "abc", 300, 1.5, -2.25, -5, "hi")), "\n";
printf "%s %5.2f %e %g %x %o %b %03d %+d %-5s| %v d %.0f %.15g\n", "s", 3.14159, 12345.678, 1e-5, 255, 8, 5, 7, 3, "l", "1.22.333", 2.5, 0.1;
my @data = map { { n => $_, s => join "", reverse split //, $_ * 37 } } 1 .. 20;
print join(" ", map { "$_->{n}:$_->{s}" } sort { $a->{s} cmp $b->{s} or $a->{n} <=> $b->{n} } @data), "\n";
my $count = 0; my $inc = sub { ++$count }; $inc->() for 1 .. 1000; print "$count\n";
my %h; $h{$_ % 97}{$_ % 13} += $_ for 1 .. 20000; my $sum = 0; $sum += $h{$_}{5} // 0 for keys %h; print "$sum\n";
print 2 ** 53 + 1, " ", 9223372036854775807 + 1, " ", -7 / 2, " ", -7 % 3, " ", int(-3.7), " ", 1e15 * 10, " ", 0.1 + 0.2, " ", 1 / 3, "\n";
print join(",", sqrt(2), sin(1), cos(1), exp(1), log(10), atan2(1, 2)), "\n";
my $str = "x" x 50; substr($str, 10, 5) = "ABC"; print length $str, lc uc $str, "\n";
print "ok\n" if "caf\x{e9}" =~ /^\w+$/u; print ucfirst("word"), " ", join("", reverse 1 .. 9), " ", "abc" x 2, " ", "a" lt "b", "\n";
open my $f, ">", "file" or die; print $f "line $_\n" for 1 .. 1000; close $f; open $f, "<", "file"; my @l = <$f>; print scalar @l, " $l[-1]";
local $/; seek $f, 0, 0; my $all = <$f>; print length $all, " ", ($all =~ tr/1//), "\n";
eval { die { code => 42 } }; print "died $@->{code}\n"; eval { my $x = 1 / 0 }; print $@ =~ /division by zero/ ? "zero\n" : "?\n";
print join(",", (localtime(0))[5, 4, 3], scalar gmtime(86400 * 365)), "\n";
my @s = (1) x 10; for my $i (2 .. 9) { $s[$i] = $s[$i - 1] * $i } print "@s\n";
print sprintf("%vd", "1.2.3"), " ", oct("0x1f"), " ", hex("ff"), " ", chr(65), " ", ord("a"), " ", lc("ÄB"), "\n";
END
perl -ne 'print if /5$/' < <(seq 100) | paste -sd,; perl -pe 's/(\d+)/$1*2/e' < <(seq 5); perl -lane 'print $F[1]' <<< $'a b c\nd e f'; perl -i.bak -pe 's/line/LINE/' file; head -1 file
perl -MList::Util=sum,max,first,shuffle -MPOSIX=floor,strftime -MData::Dumper -e '$Data::Dumper::Sortkeys = 1; print sum(1..100), max(3,9,2), floor(-2.5), strftime("%F", gmtime 0), "\n", Dumper({a => [1,2], b => \"x"})'
perl -MDigest::SHA=sha256_hex -MMIME::Base64 -MDigest::MD5=md5_hex -MTime::Local -MStorable=freeze,thaw -e 'print sha256_hex("abc"), encode_base64("ferry"), md5_hex("x" x 1000), timegm(0,0,0,1,0,100), thaw(freeze([1,2,3]))->[2], "\n"'
perl -Mbigint -e 'print 2 ** 200, "\n"'; perl -e 'exit 9'; echo $?; perl -e 'die "message\n"' 2>&1; echo $?
