# git: fixed names and dates make fixed hashes
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=c GIT_COMMITTER_EMAIL=c@d GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
git init -q -b main repo && cd repo
for i in $(seq 15); do seq $((i * 100)) >file$((i % 4)); git add . && git commit -q -m "commit $i"; done
git log --oneline | head -5; git log --stat --format=%s -2; git checkout -q -b side HEAD~5; echo side >side; git add side; git commit -q -m side; git checkout -q main; git merge -q --no-edit side && git rev-parse HEAD
git gc -q && git fsck 2>&1 | tail -1; git clone -q . ../clone && cd ../clone && git rev-parse HEAD && git diff HEAD~3 --shortstat && git blame -s side | cut -c1-8; git grep -c 99 | head -2; git archive HEAD | sha256sum; git bundle create -q ../b HEAD 2>/dev/null; git ls-tree HEAD; git status --short | wc -l
