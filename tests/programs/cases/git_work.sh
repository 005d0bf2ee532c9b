# git: init, add, commit, branch, merge, rebase, log, diff, stash, tag, bisect, with fixed names and dates, so that hashes agree.
# program-test: timeout=240
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@x GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@x GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat GIT_MERGE_AUTOEDIT=no
at() { export GIT_AUTHOR_DATE="@$((1700000000 + $1)) +0000" GIT_COMMITTER_DATE="@$((1700000000 + $1)) +0000"; }
git config --global init.defaultBranch main; git config --global advice.detachedHead false; git config --global gc.auto 0
git init -q repo; cd repo
for i in 1 2 3 4 5 6; do at $i; seq $((i * 50)) >file; mkdir -p d$i; echo $i >d$i/f; git add -A; git commit -qm "commit $i"; done
git log --format='%h %an %ad %s' --date=iso; git ls-tree -r HEAD | head -3; git rev-parse HEAD HEAD~3 HEAD^{tree}; git show --stat HEAD~2 | tail -3
git checkout -qb side HEAD~2; at 20; sed -i 's/^10$/ten/' file; git commit -qam side; git checkout -q main; at 21; git merge -q side; git log --oneline --graph | head -8; grep -n ten file
git checkout -qb conflict HEAD~1; at 22; sed -i 's/^10$/TEN/' file; git commit -qam conflict; git merge side >/dev/null; echo "merge $?"; git diff --name-only --diff-filter=U; git merge --abort; git status --short | wc -l
at 23; git rebase -q main 2>/dev/null; echo "rebase $?"; git rebase --abort; git checkout -q main; git tag -a v1 -m 'version 1'; git describe; git cat-file -p v1 | head -3; git blame -s file | sed -n '8,11p'
echo change >>file; git stash -q; git status --short; git stash pop -q; git diff --stat; git checkout -q -- file; git bisect start -q HEAD HEAD~5 2>/dev/null; git bisect run sh -c '[ $(wc -l <file) -lt 200 ]' 2>/dev/null | grep -o 'commit [0-9]' | head -1; git bisect reset -q 2>/dev/null
git grep -n '^25$'; git log --format=%s -S'ten' -- file; git shortlog -sn HEAD; git format-patch -1 --stdout HEAD~1 | head -4; git archive --format=tar HEAD | tar -t | head -3; git fsck 2>&1 | head -2; git count-objects | cut -d' ' -f1; git rm -q d1/f; git status --short; git reset -q --hard; git rev-list --count HEAD
git apply --check <(git diff HEAD~1 HEAD -R) && echo applies; git reflog | wc -l; git worktree add -q ../wt side; ls ../wt | wc -l
