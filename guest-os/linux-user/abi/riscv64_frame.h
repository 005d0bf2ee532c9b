// Signal frames of the riscv64 guest: struct guest_abi's frame_build and frame_restore (abi.h).
#pragma once
#include "guest-os/linux-user/task.h"

int riscv64_frame_build(struct task *task, uint64_t stack, int signal, const siginfo_t *info, const struct guest_sigaction *action,
                        uint64_t mask);
int riscv64_frame_restore(struct task *task, uint64_t *mask);
