# date arithmetic and time zones, touch and stat of fixed times.
for tz in UTC Europe/Berlin America/New_York Asia/Kolkata Australia/Lord_Howe; do
    TZ=$tz date -d @1700000000 '+%F %T %z %Z %j %U %a %b'
    TZ=$tz date -d '2024-03-31 01:30:00 UTC' '+%c'
done
date -u -d '2024-02-28 +2 days' +%F; date -u -d '1 jan 2000 + 1000 weeks' +%F; date -u -d 'last monday 2024-05-15' +%F 2>&1 | head -1
date -u -d '2024-12-31T23:59:60Z' 2>&1 | head -1; date -u -Ins -d @1.123456789; date -R -u -d @0; date -u --rfc-3339=ns -d @1e9 2>/dev/null
date -u -d '@-1' +%s; date -d 'TZ="Asia/Tokyo" 2024-01-01 00:00' +%s
touch -d '2001-02-03 04:05:06.789 UTC' f; stat -c '%y %Y %s %F %a %h' f; touch -r f g; stat -c %Y g; touch -a -d @5 f; stat -c '%X %Y' f
date -u -r f +%F; find . -newermt 2001-01-01 ! -newermt 2002-01-01 -type f | sort
TZ=:/usr/share/zoneinfo/Asia/Tokyo date -d @0; TZ=FOO-3:30 date -d @0 '+%z %Z'
start=$(date +%s%N); sleep 0.2; end=$(date +%s%N); ((end - start >= 200000000 && end - start < 5000000000)) && echo slept
[ $(date +%Y) -ge 2024 ] && echo sane
