// Signal frames of the riscv64 guest: struct guest_abi's signal_stack, frame_size, frame_build and frame_restore (abi.h).
#pragma once
#include "guest-os/linux-user/task.h"
#include "translator/guest/guest.h"

unsigned riscv64_signal_stack(guest_features features);
size_t riscv64_frame_size(const struct task *task);
int riscv64_frame_build(struct task *task, uint64_t stack, int signal, const siginfo_t *info, const struct guest_sigaction *action,
                        uint64_t mask);
int riscv64_frame_restore(struct task *task, uint64_t *mask);
