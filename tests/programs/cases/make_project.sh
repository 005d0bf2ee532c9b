# make -j2 over a small generated project, rebuilt after changes.
# program-test: timeout=240
mkdir src; for i in $(seq 12); do printf '#include "all.h"\nint f%d(int x) { return x * %d + g(x); }\n' $i $i >src/f$i.c; done
{ echo '#pragma once'; echo 'static inline int g(int x) { return x ^ 5; }'; for i in $(seq 12); do echo "int f$i(int);"; done; } >src/all.h
{ echo '#include <stdio.h>'; echo '#include "all.h"'; echo 'int main(void) { int s = 0;'; for i in $(seq 12); do echo "s += f$i($i);"; done; echo 'printf("%d\n", s); return 0; }'; } >src/main.c
cat >Makefile <<'END'
sources := $(wildcard src/*.c)
objects := $(patsubst src/%.c,obj/%.o,$(sort $(sources)))
program: $(objects)
	@$(CC) -o $@ $^ && echo linked $(words $^)
obj/%.o: src/%.c src/all.h | obj
	@$(CC) -O1 -c -o $@ $< && echo $< >>built
obj: ; @mkdir -p $@
.PHONY: clean check
check: program ; @./program
clean: ; @rm -rf obj program
$(info $(shell echo shell) $(subst a,b,banana) $(foreach n,1 2 3,<$(n)>) $(if ,yes,no) $(call twice,x))
twice = $(1)$(1)
END
make -j2 check; sort built | uniq -c | wc -l; make -j2 check; touch src/f3.c; : >built; make check; cat built; make -n clean; make -q program; echo $?; make clean; ls; make nosuch 2>&1 | sed 's/^make[^:]*: //'; make -j2 -s check CC=false 2>&1 | grep -q Error && echo errors
printf 'all: a b c\na b c: ; @sleep 0.2; echo $@\n' | make -j3 -f - | sort; printf 'x: ; @exit 3\n' | make -k -f - 2>&1 | grep -o 'Error 3'
