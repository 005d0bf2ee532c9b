# perl: fork, pipes, wait statuses, signals, alarm, exec, backticks, sockets between processes, flock, select.
perl <<'END'
use strict; use warnings; use POSIX ":sys_wait_h"; use Socket; use IO::Socket::INET; use IO::Select; use Fcntl ":flock"; use Time::HiRes qw(time sleep alarm);
$| = 1;
for my $i (1 .. 3) { my $pid = fork // die; if (!$pid) { exit $i } waitpid $pid, 0; print "child ", $? >> 8, "\n" }
my $pid = fork; if (!$pid) { kill 'TERM', $$; sleep 5 } waitpid $pid, 0; print "signal ", $? & 127, "\n";
pipe my $r, my $w; $pid = fork; if (!$pid) { close $r; print $w "message $_\n" for 1 .. 1000; close $w; exit 0 } close $w; my @l = <$r>; waitpid $pid, 0; print scalar @l, " $l[-1]";
my $got = ""; local $SIG{USR1} = sub { $got .= "u" }; kill 'USR1', $$ for 1 .. 5; print "$got\n";
eval { local $SIG{ALRM} = sub { die "alarm\n" }; alarm 0.2; sleep 10; }; print $@;
print `echo back; exit 3`, $? >> 8, "\n"; print system("exit 5") >> 8, "\n"; open my $p, "-|", "seq", 5 or die; my @s = <$p>; close $p; print scalar @s, "\n";
open $p, "|-", "cat" or die; print $p "to cat\n"; close $p;
socketpair my $a, my $b, AF_UNIX, SOCK_STREAM, 0; $pid = fork; if (!$pid) { close $a; while (my $l = <$b>) { $b->autoflush; print $b uc $l; last if $l =~ /q/ } exit } close $b; $a->autoflush; for (qw(one two quit)) { print $a "$_\n"; print scalar <$a> } waitpid $pid, 0;
my $server = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1', Proto => 'tcp') or die "listen $!"; my $port = $server->sockport;
my @kids; for my $n (1 .. 4) { my $k = fork; if (!$k) { my $c = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or die; print $c "client $n\n"; my $x = <$c>; exit length $x } push @kids, $k }
my @seen; for (1 .. 4) { my $c = $server->accept; my $l = <$c>; push @seen, $l; print $c "reply to $l"; close $c } print sort @seen; for (@kids) { waitpid $_, 0; print $? >> 8, " " } print "\n";
my $u1 = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1') or die; my $u2 = IO::Socket::INET->new(Proto => 'udp', PeerAddr => '127.0.0.1', PeerPort => $u1->sockport) or die; $u2->send("datagram"); my $sel = IO::Select->new($u1); print scalar $sel->can_read(2), "\n"; $u1->recv(my $buf, 100); print "$buf\n";
open my $lock, ">", "lock"; flock $lock, LOCK_EX; $pid = fork; if (!$pid) { open my $l, ">", "lock"; exit(flock($l, LOCK_EX | LOCK_NB) ? 1 : 2) } waitpid $pid, 0; print "lock ", $? >> 8, "\n";
local $SIG{CHLD} = sub { while ((my $k = waitpid(-1, WNOHANG)) > 0) { $got .= "c" } }; $got = ""; for (1 .. 5) { my $k = fork; exit 0 if !$k; sleep 0.05 } for (1 .. 500) { last if length $got >= 5; sleep 0.02 } print length $got, "\n";
$SIG{CHLD} = 'IGNORE'; $pid = fork; exit 0 if !$pid; sleep 0.1; print waitpid($pid, 0), "\n"; $SIG{CHLD} = 'DEFAULT';
print "pgrp ", (getpgrp() > 0 ? 1 : 0), " ppid ", (getppid() > 0 ? 1 : 0), "\n"; my @t = times; print scalar @t, "\n"; my $start = time; select undef, undef, undef, 0.1; print time - $start >= 0.09 ? "slept\n" : "no\n";
sigprocmask(POSIX::SIG_BLOCK, POSIX::SigSet->new(POSIX::SIGUSR1)); $got = ""; kill 'USR1', $$; print "blocked '$got'\n"; sigprocmask(POSIX::SIG_UNBLOCK, POSIX::SigSet->new(POSIX::SIGUSR1)); print "then '$got'\n";
exec "echo", "exec'd";
END
echo $?
