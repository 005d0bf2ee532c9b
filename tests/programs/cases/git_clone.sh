# git: clone, fetch, push, pack, gc, over files and through pipes.
# program-test: timeout=240
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@x GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@x GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_DATE='@1700000000 +0000' GIT_COMMITTER_DATE='@1700000000 +0000'
git config --global init.defaultBranch main; git config --global gc.auto 0; git config --global pack.threads 2
git init -q one; cd one; for i in 1 2 3 4 5 6 7 8; do seq $i 400 >f$i; git add .; git commit -qm $i; done; cd ..
git clone -q one two; git clone -q --bare "file://$PWD/one" bare.git; git -C two log --oneline | wc -l; git -C bare.git rev-parse main; (cd two; echo new >n; git add n; git commit -qm new; git push -q ../bare.git main); git -C one pull -q ../bare.git main; git -C one log -1 --format=%H%n%s
git -C bare.git gc -q; ls bare.git/objects/pack | sed 's/.*\.//' | sort; git -C bare.git verify-pack -v objects/pack/*.idx | awk '$2 ~ /blob|tree|commit/ { n[$2]++ } END { print n["blob"], n["tree"], n["commit"] }'; git -C bare.git fsck --full 2>&1 | wc -l
git clone -q --depth 2 "file://$PWD/bare.git" shallow; git -C shallow rev-list --count HEAD; git -C one bundle create -q ../b.bundle main; git clone -q b.bundle fromb -b main; git -C fromb rev-parse HEAD; printf '%s\n' one two | xargs -I{} git -C {} status --short; git -C one repack -adq; git -C one cat-file --batch-check --batch-all-objects | awk '{ s += $3 } END { print NR, s }'; git ls-remote bare.git | wc -l
