# lua, sqlite3, openssl
# program-test: timeout=300
lua5.4 -e 'local t = {} for i = 1, 200000 do t[i] = (i * 7919) % 10007 end table.sort(t) print(#t, t[1], t[100000], string.format("%.14g %q", math.pi, "x\n"), 7 // 2, 2^53, math.maxinteger)
local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) print(co(), co(), co()) print(("x"):rep(5, ","), ("hello world"):gsub("o", "0"), select("#", table.unpack({1, 2, 3})))
print(pcall(error, "e"), string.pack("<i4d", 7, 1.5):byte(1, -1))'
sqlite3 db 'create table t(id integer primary key, name text, v real); with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000) insert into t select i, printf("n%05d", i * 7919 % 3000), i / 3.0 from n;
create index ti on t(name); select count(*), sum(v), max(name) from t; select id, name from t where name between "n00100" and "n00103" order by name; pragma integrity_check;
select group_concat(x, "-") from (select distinct id % 7 as x from t order by 1); begin; delete from t where id > 10; rollback; select count(*) from t join t u using (name); select json_extract("{""a"":[1,2,{""b"":3}]}", "$.a[2].b"), upper("abc"), round(2.5), typeof(1.0), hex("ab");'
sqlite3 db "update t set v = id; select 1" ".dump" | sha256sum
seq 1 30000 >data
for d in md5 sha1 sha256 sha512 sha3-256 blake2b512; do openssl dgst -$d data; done
openssl enc -aes-256-cbc -pbkdf2 -pass pass:x -S 0102030405060708 -in data -out data.enc && openssl enc -d -aes-256-cbc -pbkdf2 -pass pass:x -S 0102030405060708 -in data.enc | cmp - data && sha256sum data.enc
openssl genrsa -out key 1024 2>/dev/null && openssl dgst -sha256 -sign key -out sig data && openssl rsa -in key -pubout -out pub 2>/dev/null && openssl dgst -sha256 -verify pub -signature sig data
openssl ecparam -name prime256v1 -genkey -noout -out ec && openssl dgst -sha256 -sign ec -out sig data && openssl dgst -sha256 -prverify ec -signature sig data
openssl speed -seconds 1 -bytes 1024 sha256 >/dev/null 2>&1; echo "speed $?"
openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -subj /CN=x -days 1 2>/dev/null
openssl s_server -accept 127.0.0.1:44330 -key k.pem -cert c.pem -quiet -naccept 1 >server.log 2>&1 & sleep 1.5; echo hello over TLS | timeout 5 openssl s_client -connect 127.0.0.1:44330 -quiet >/dev/null 2>&1; sleep 0.5; cat server.log
