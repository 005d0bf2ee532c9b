// The tracer's side of ptrace(2) for itself (tracee.c, tracer.c, sys_ptrace.c): see trace.h.
#pragma once
#include "guest-os/linux-user/trace.h"

// A host thread that is traced, or was found by wait.
struct tracee {
    struct tracee *next;  // while it is not in use
    int tid, tgid;
    bool announced;  // the guest knows of it
    bool met;  // has been seen stopped
    int grouped;  // the signal that it has been stopped by with its group meanwhile
    bool listening;  // PTRACE_LISTEN: the next stop of the host's is the guest's
    bool exiting;  // PTRACE_EVENT_EXIT has been shown
    bool adopt;  // to be told that it is traced
    bool starting;  // its runner is not ready to be talked to yet
    bool executed;  // because it has executed a program
    bool stopping;  // it has got SIGSTOP meanwhile
    bool seized, calls, mask_known;
    uint32_t options;
    uint64_t mask, message;
    uint64_t task, written;  // in its memory, 0 if not known: struct task, trace_written
};

// The tracee with this id, which becomes one if it is none; and no longer.
struct tracee *tracee__add(int tid);
void tracee__forget(struct tracee *tracee);
// The ids of all but `tid`, as many as there is room for; how many.
unsigned tracee__others(int tid, int others[], unsigned room);
// Finds the struct task of a stopped thread. False while the thread has none.
bool tracee__find_task(struct tracee *tracee);
// A copy of its state, or false.
bool tracee__load(const struct tracee *tracee, struct trace *trace);
// Makes the thread leave translated code soon.
void tracee__raise_pending(const struct tracee *tracee);
