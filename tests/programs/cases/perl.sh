# perl: regular expressions, sort, pack, sprintf, fork, pipes, sockets, big numbers
perl -e 'my $t = join " ", map { $_ ** 2 } 1 .. 200; my %c; $c{$_}++ for $t =~ /(\d)/g; print join(",", map { "$_=$c{$_}" } sort keys %c), "\n"'
perl -e 'print unpack("H*", pack("NnCa3w d<", 1, 2, 3, "abc", 300, 3.25)), "\n"; printf "%.17g %e %s\n", 0.1, 1e300, 1/3'
perl -e 'for my $i (1 .. 5) { my $p = fork; if (!$p) { exit $i } waitpid $p, 0; print $? >> 8, " " } print "\n"; open my $f, "-|", "echo", "piped" or die; print <$f>'
perl -MSocket -e 'socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0); syswrite $a, "ping"; sysread $b, my $x, 4; print "$x\n"'
perl -MMath::BigInt -e 'print Math::BigInt->new(2)->bpow(200), " ", Math::BigInt->new(50)->bfac, "\n"'
perl -MList::Util=sum,shuffle -e 'print sum(1 .. 1000), "\n"; local $SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; select undef, undef, undef, 5 }; print $@'
perl -MPOSIX -e 'print strftime("%Y-%m-%d", gmtime 0), " ", floor(-1.5), " ", fmod(7, 3), "\n"; print join(",", sort { $a <=> $b } map { ($_ * 7919) % 101 } 1 .. 30), "\n"'
perl -MDigest::SHA=sha256_hex -e 'print sha256_hex("ferry" x 10000), "\n"' ; perl -ne 'END { print "$.\n" }' /etc/passwd | wc -l
